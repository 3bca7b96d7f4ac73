// SPDX-License-Identifier: MIT
//
// An image whose data is made by a constructor, and which has both entry points.
namespace {

struct Made {
  Made() : value(made_by_constructor()) {}
  static int made_by_constructor() {
    static int calls = 0;
    return 10 + ++calls;
  }
  int value;
};
Made made;

}  // namespace

extern "C" {
int DriverEntry(void*, void*);
int GsDriverEntry(void*, void*);

int DriverEntry(void*, void*) {
  return ++made.value;
}
int GsDriverEntry(void* object, void* path) {
  return 1000 + DriverEntry(object, path);
}
}
