// SPDX-License-Identifier: MIT
/// \file
/// Packs of layer types, cut and joined at compile time.
#pragma once

#include <rowsmith/nn/sequential.hpp>

ROWSMITH_BEGIN
namespace detail {

template <class... T>
struct TypeList {};

template <class List, class T>
struct Append;
template <class... A, class T>
struct Append<TypeList<A...>, T> {
  using type = TypeList<A..., T>;
};
template <class A, class B>
struct Join;
template <class... A, class... B>
struct Join<TypeList<A...>, TypeList<B...>> {
  using type = TypeList<A..., B...>;
};

template <class List>
struct AsSequential;
template <class... Layers>
struct AsSequential<TypeList<Layers...>> {
  using type = Sequential<Layers...>;
};

} // namespace detail
ROWSMITH_END
