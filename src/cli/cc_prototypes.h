// SPDX-License-Identifier: MIT
//
// Prototypes that do not match their definition: Microsoft's compiler takes a parameter `void*` here and `T*`
// there (C4028), gcc and clang refuse. The declaration loses its parameters, which leaves it compatible with
// the definition.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace undis::cli {

/// The functions of "conflicting types for 'Name'" in a compiler's messages, each once, in order.
std::vector<std::string> conflicting_functions(std::string_view messages);

/// The preprocessed C `text` with the parameters of every declaration of these functions at file scope
/// blanked; definitions stay, and so does each line's length. False: none was found.
bool loosen_prototypes(std::string& text, const std::vector<std::string>& functions);

}  // namespace undis::cli
