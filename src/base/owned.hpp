// Owned: one owner for a handle of a C library that is freed by a function taking its address.
// As thread-safe as std::unique_ptr.
#pragma once

#include <memory>
#include <type_traits>

namespace leat {

template <class Handle, void (*destroy)(Handle*)>
struct HandleDestroyer {
    using pointer = Handle;
    auto operator()(Handle handle) const -> void { destroy(&handle); }
};

template <class Handle, void (*destroy)(Handle*)>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, HandleDestroyer<Handle, destroy>>;

}  // namespace leat
