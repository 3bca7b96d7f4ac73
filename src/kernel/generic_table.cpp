// SPDX-License-Identifier: MIT
//
// Generic tables: AVL trees whose nodes come from the driver's own routines. The driver guards a table
// itself.
//
// Pages   ntddk/nf-ntddk-rtlinitializegenerictableavl, -rtlinsertelementgenerictableavl,
// -rtldeleteelementgenerictableavl,
//         -rtllookupelementgenerictableavl, -rtlenumerategenerictableavl
// IRQL    that of the driver's routines and of the table's memory
// Beyond  The routines are called directly, as part of the driver's own call: it holds its own lock over
// them.
#include <algorithm>
#include <cstring>

#include <ntddk.h>
#include <wdm/generic_table.h>

#include "kernel/call.h"

using undis::kernel::callback;

namespace {

using Node = RTL_BALANCED_LINKS;

// The tree hangs on the root's right child, so that every node has a parent and none has to be told apart.
Node*& top(RTL_AVL_TABLE& table) noexcept {
  return table.BalancedRoot.RightChild;
}
void* element(Node* node) noexcept {
  return node + 1;
}

RTL_GENERIC_COMPARE_RESULTS compare(RTL_AVL_TABLE& table, void* one, void* other) {
  return callback<RTL_GENERIC_COMPARE_RESULTS(PRTL_AVL_TABLE, PVOID, PVOID)>{table.CompareRoutine}(
      &table, one, other);
}

/// The node that equals `wanted`, else where it would hang: `last` and the side.
Node* search(RTL_AVL_TABLE& table, void* wanted, Node*& last, bool& left) {
  last = &table.BalancedRoot;
  left = false;
  Node* node = top(table);
  while (node != nullptr) {
    const RTL_GENERIC_COMPARE_RESULTS result = compare(table, wanted, element(node));
    if (result == GenericEqual) return node;
    last = node;
    left = result == GenericLessThan;
    node = left ? node->LeftChild : node->RightChild;
  }
  return nullptr;
}

void replace_child(Node* parent, const Node* before, Node* after) noexcept {
  (parent->LeftChild == before ? parent->LeftChild : parent->RightChild) = after;
  if (after != nullptr) after->Parent = parent;
}

/// Turns the node down to the left (or right); its other child comes up. The one that came up.
Node* rotate(Node* node, bool to_left) noexcept {
  Node* const up = to_left ? node->RightChild : node->LeftChild;
  Node*& inner = to_left ? up->LeftChild : up->RightChild;
  Node*& gap = to_left ? node->RightChild : node->LeftChild;
  gap = inner;
  if (inner != nullptr) inner->Parent = node;
  replace_child(node->Parent, node, up);
  inner = node;
  node->Parent = up;
  return up;
}

/// Balance is the right height less the left one; at +-2 one or two turns put it right. The top of the
/// subtree afterwards.
Node* rebalance(Node* node) noexcept {
  const bool right_heavy = node->Balance > 0;
  const CHAR heavy = right_heavy ? CHAR{1} : CHAR{-1};
  Node* const child = right_heavy ? node->RightChild : node->LeftChild;
  if (child->Balance == -heavy) {
    Node* const inner = right_heavy ? child->LeftChild : child->RightChild;
    rotate(child, !right_heavy);
    rotate(node, right_heavy);
    node->Balance = inner->Balance == heavy ? static_cast<CHAR>(-heavy) : CHAR{0};
    child->Balance = inner->Balance == -heavy ? heavy : CHAR{0};
    inner->Balance = 0;
    return inner;
  }
  rotate(node, right_heavy);
  const bool was_even = child->Balance == 0;  // only when a node was taken out
  node->Balance = was_even ? heavy : CHAR{0};
  child->Balance = was_even ? static_cast<CHAR>(-heavy) : CHAR{0};
  return child;
}

void grown(RTL_AVL_TABLE& table, Node* node) noexcept {
  for (Node* parent = node->Parent; parent != &table.BalancedRoot; node = parent, parent = node->Parent) {
    parent->Balance = static_cast<CHAR>(parent->Balance + (parent->RightChild == node ? 1 : -1));
    if (parent->Balance == 0) return;
    if (parent->Balance == 2 || parent->Balance == -2) {
      rebalance(parent);
      return;
    }
  }
  ++table.DepthOfTree;
}

void shrunk(RTL_AVL_TABLE& table, Node* parent, bool left) noexcept {
  while (parent != &table.BalancedRoot) {
    parent->Balance = static_cast<CHAR>(parent->Balance + (left ? 1 : -1));
    Node* node = parent;
    if (parent->Balance == 1 || parent->Balance == -1) return;
    if (parent->Balance == 2 || parent->Balance == -2) {
      node = rebalance(parent);
      if (node->Balance != 0) return;
    }
    parent = node->Parent;
    left = parent->LeftChild == node;
  }
  --table.DepthOfTree;
}

Node* leftmost(Node* node) noexcept {
  while (node != nullptr && node->LeftChild != nullptr) node = node->LeftChild;
  return node;
}

Node* successor(RTL_AVL_TABLE& table, Node* node) noexcept {
  if (node->RightChild != nullptr) return leftmost(node->RightChild);
  Node* parent = node->Parent;
  while (parent != &table.BalancedRoot && parent->RightChild == node) {
    node = parent;
    parent = node->Parent;
  }
  return parent == &table.BalancedRoot ? nullptr : parent;
}

void take_out(RTL_AVL_TABLE& table, Node* node) noexcept {
  if (node->LeftChild != nullptr && node->RightChild != nullptr) {
    // The next in order takes its place: the two change positions, then the node has one child at most.
    Node* const next = leftmost(node->RightChild);
    const bool adjacent = next == node->RightChild;
    Node* const next_parent = next->Parent;
    Node* const next_right = next->RightChild;
    replace_child(node->Parent, node, next);
    next->LeftChild = node->LeftChild;
    next->LeftChild->Parent = next;
    std::swap(next->Balance, node->Balance);
    if (adjacent) {
      next->RightChild = node;
      node->Parent = next;
    } else {
      next->RightChild = node->RightChild;
      next->RightChild->Parent = next;
      next_parent->LeftChild = node;
      node->Parent = next_parent;
    }
    node->LeftChild = nullptr;
    node->RightChild = next_right;
    if (next_right != nullptr) next_right->Parent = node;
  }
  Node* const parent = node->Parent;
  const bool left = parent->LeftChild == node;
  replace_child(parent, node, node->LeftChild != nullptr ? node->LeftChild : node->RightChild);
  shrunk(table, parent, left);
}

}  // namespace

VOID RtlInitializeGenericTableAvl(PRTL_AVL_TABLE Table, PRTL_AVL_COMPARE_ROUTINE CompareRoutine,
                                  PRTL_AVL_ALLOCATE_ROUTINE AllocateRoutine,
                                  PRTL_AVL_FREE_ROUTINE FreeRoutine, PVOID TableContext) {
  *Table = {};
  Table->BalancedRoot.Parent = &Table->BalancedRoot;
  Table->CompareRoutine = CompareRoutine;
  Table->AllocateRoutine = AllocateRoutine;
  Table->FreeRoutine = FreeRoutine;
  Table->TableContext = TableContext;
}

PVOID RtlInsertElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer, ULONG BufferSize,
                                      PBOOLEAN NewElement) {
  Node* last = nullptr;
  bool left = false;
  if (NewElement != nullptr) *NewElement = FALSE;
  if (Node* const found = search(*Table, Buffer, last, left)) return element(found);
  auto* const node = static_cast<Node*>(callback<PVOID(PRTL_AVL_TABLE, ULONG)>{Table->AllocateRoutine}(
      Table, static_cast<ULONG>(sizeof(Node)) + BufferSize));
  if (node == nullptr) return nullptr;
  *node = {};
  node->Parent = last;
  (left ? last->LeftChild : last->RightChild) = node;
  std::memcpy(element(node), Buffer, BufferSize);
  ++Table->NumberGenericTableElements;
  Table->OrderedPointer = nullptr;
  grown(*Table, node);
  if (NewElement != nullptr) *NewElement = TRUE;
  return element(node);
}

BOOLEAN RtlDeleteElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer) {
  Node* last = nullptr;
  bool left = false;
  Node* const node = search(*Table, Buffer, last, left);
  if (node == nullptr) return FALSE;
  if (Table->RestartKey == node) Table->RestartKey = nullptr;
  take_out(*Table, node);
  --Table->NumberGenericTableElements;
  ++Table->DeleteCount;
  Table->OrderedPointer = nullptr;
  callback<void(PRTL_AVL_TABLE, PVOID)>{Table->FreeRoutine}(Table, node);
  return TRUE;
}

PVOID RtlLookupElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer) {
  Node* last = nullptr;
  bool left = false;
  Node* const found = search(*Table, Buffer, last, left);
  return found == nullptr ? nullptr : element(found);
}

// The key is the node handed out last; NULL starts anew.
PVOID RtlEnumerateGenericTableWithoutSplayingAvl(PRTL_AVL_TABLE Table, PVOID* RestartKey) {
  auto* const before = static_cast<Node*>(*RestartKey);
  Node* const node = before == nullptr ? leftmost(top(*Table)) : successor(*Table, before);
  *RestartKey = node;
  return node == nullptr ? nullptr : element(node);
}

PVOID RtlEnumerateGenericTableAvl(PRTL_AVL_TABLE Table, BOOLEAN Restart) {
  PVOID key = Restart != FALSE ? nullptr : Table->RestartKey;
  void* const found = RtlEnumerateGenericTableWithoutSplayingAvl(Table, &key);
  Table->RestartKey = static_cast<Node*>(key);
  return found;
}

PVOID RtlGetElementGenericTableAvl(PRTL_AVL_TABLE Table, ULONG I) {
  if (I >= Table->NumberGenericTableElements) return nullptr;
  Node* node = leftmost(top(*Table));
  while (I-- != 0) node = successor(*Table, node);
  return element(node);
}

ULONG RtlNumberGenericTableElementsAvl(PRTL_AVL_TABLE Table) {
  return Table->NumberGenericTableElements;
}
BOOLEAN RtlIsGenericTableEmptyAvl(PRTL_AVL_TABLE Table) {
  return Table->NumberGenericTableElements == 0 ? TRUE : FALSE;
}
