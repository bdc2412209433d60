// SPDX-License-Identifier: MIT
/// \file
/// Reverse-mode automatic differentiation on matrices.
///
/// A `Tape` records one entry per matrix-level operation and plays them backwards (Griewank & Walther,
/// "Evaluating Derivatives", 2nd ed., chapter 3). Values, adjoints and entries live in the tape's arena:
/// after the first step of a training loop nothing is allocated any more.
///
/// \code
/// Tape<float> tape;
/// for (...) {
///   tape.rewind();
///   auto w = tape.parameter(weights.data(), gradients.data(), 8, 4);
///   auto x = tape.constant(batch.data(), 32, 8);
///   auto loss = mean(square(matmul(x, w)));
///   tape.backward(loss);               // gradients now holds d loss / d weights
/// }
/// \endcode
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <rowsmith/autodiff/arena.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/linalg/gemm.hpp>
#include <rowsmith/linalg/matrix.hpp>

ROWSMITH_BEGIN

template <class Scalar>
class Tape;

namespace detail {
template <class Scalar>
struct TapeNode {
  Scalar* value;
  Scalar* adjoint; ///< nullptr until the first contribution, except for parameters
  Index rows;
  Index columns;
  bool needs_gradient;
  bool written;          ///< the adjoint holds a contribution
  bool told;             ///< how long each row's gradient by it is was added to the rows' squares
  bool by_row;           ///< a sum over rows of what each has by itself
  std::size_t first_use; ///< of a parameter: no entry before it reads the parameter
};
} // namespace detail

/// A matrix on a tape: a handle of three words, freely copied, valid until the tape is rewound.
/// \throws Error from every accessor when used after that
template <class Scalar>
class Variable {
public:
  using ScalarType = Scalar;

  Index rows() const { return node().rows; }
  Index columns() const { return node().columns; }
  Index size() const { return node().rows * node().columns; }
  bool needs_gradient() const { return node().needs_gradient; }

  /// rows × columns
  ConstMatrixMap<Scalar> value() const { return {node().value, rows(), columns()}; }
  /// The values, to be filled by the operation that made the variable.
  MatrixMap<Scalar> mutable_value() const { return {node().value, rows(), columns()}; }
  Scalar* data() const { return node().value; }
  /// The only element of a 1 × 1 variable.
  Scalar item() const {
    if (size() != 1)
      throw ShapeError("item: the variable is " + std::to_string(rows()) + " x " + std::to_string(columns()) +
                       ", expected 1 x 1");
    return node().value[0];
  }

  /// d loss / d this, zero where nothing has flowed; for inputs and parameters once `Tape::backward` is done,
  /// for the output of an operation within its backward function, which may then change it in place.
  /// In a backward function: add to the adjoints of the operands with `+=`.
  MatrixMap<Scalar> adjoint() const {
    bool overwrite = false;
    Scalar* target = adjoint_target(overwrite);
    if (overwrite)
      std::fill_n(target, size(), Scalar(0));
    return {target, rows(), columns()};
  }
  /// For operations that can write their contribution as well as add it: where it goes, and whether it is
  /// the first (then every element must be assigned, the memory is not initialised).
  Scalar* adjoint_target(bool& overwrite) const {
    auto& n = node();
    if (n.adjoint == nullptr)
      n.adjoint = tape_->template allocate<Scalar>(n.rows * n.columns);
    overwrite = !n.written;
    n.written = true;
    return n.adjoint;
  }
  /// Has any contribution arrived?
  bool has_adjoint() const { return node().written; }
  /// Is this a sum over rows of losses that each has by itself, times its weight where rows are weighed?
  bool by_row() const { return node().by_row; }

  Tape<Scalar>& tape() const { return *tape_; }

private:
  friend class Tape<Scalar>;
  Variable(Tape<Scalar>* tape, detail::TapeNode<Scalar>* node, std::uint64_t generation)
      : tape_(tape), node_(node), generation_(generation) {}
  detail::TapeNode<Scalar>& node() const {
    if (generation_ != tape_->generation())
      throw Error("a Variable was used after its tape was rewound");
    return *node_;
  }
  Tape<Scalar>* tape_;
  detail::TapeNode<Scalar>* node_;
  std::uint64_t generation_;
};

/// Records operations and differentiates them. Not thread-safe: one tape per worker. Not copyable.
template <class Scalar>
class Tape {
  static_assert(std::is_floating_point_v<Scalar>, "a Tape works on float or double");

public:
  using Node = detail::TapeNode<Scalar>;

  Tape() = default;
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// Forgets every variable and entry; memory is kept.
  void rewind() noexcept {
    arena_.rewind();
    entries_.clear();
    parameters_.clear();
    differentiated_ = false;
    row_squares_ = nullptr;
    row_weights_ = nullptr;
    ++generation_;
  }

  /// Until the next rewind, `backward` writes no gradients of parameters. It adds to squares[r] the squared
  /// length of row r's own gradient by all of them, without the rows' gradients ever being made (Goodfellow,
  /// "Efficient per-example gradient computations", 2015). For losses that are a sum over `rows` rows,
  /// through operations that can tell: `dense`, `gather_dense`, `autoregressive_loss`. `squares` must outlive
  /// the step.
  void audit_rows(Scalar* squares, Index rows) noexcept {
    row_squares_ = squares;
    rows_ = rows;
  }
  /// Until the next rewind, losses that are a sum over `rows` rows weigh each by its own factor. `weights`
  /// must outlive the step.
  void weigh_rows(const Scalar* weights, Index rows) noexcept {
    row_weights_ = weights;
    rows_ = rows;
  }

  /// An input whose gradient nobody needs. The rows × columns elements are not copied and must outlive the
  /// step; they are never written to.
  Variable<Scalar> constant(const Scalar* values, Index rows, Index columns) {
    return handle(new_node(const_cast<Scalar*>(values), nullptr, rows, columns, false));
  }
  /// An input with the values copied into the tape.
  template <class Derived>
  Variable<Scalar> constant(const Eigen::MatrixBase<Derived>& values) {
    auto result = make(values.rows(), values.cols(), false);
    result.mutable_value() = values;
    return result;
  }
  /// A parameter: its values stay where they are, and `backward` writes (not adds) its gradient to
  /// `gradient`, zero if the loss does not depend on it. Registering the same values again gives the same
  /// variable, so that two uses of one layer add up.
  /// \throws ShapeError if the same values were registered with another shape
  /// \throws Error if they were registered with another gradient, or `gradient` is null
  Variable<Scalar> parameter(const Scalar* values, Scalar* gradient, Index rows, Index columns) {
    Node* node = parameter_node(values, gradient, rows, columns);
    node->first_use = std::min(node->first_use, entries_.size());
    return handle(node);
  }
  /// Says that there is such a parameter, of which the loss may make use later, or not. \throws as
  /// `parameter`
  void declare_parameter(const Scalar* values, Scalar* gradient, Index rows, Index columns) {
    parameter_node(values, gradient, rows, columns);
  }

  // For operations --------------------------------------------------------------------------------------

  /// A new variable with uninitialised values.
  Variable<Scalar> make(Index rows, Index columns, bool needs_gradient) {
    return handle(new_node(allocate<Scalar>(rows * columns), nullptr, rows, columns, needs_gradient));
  }
  /// Registers the backward function of `output`. It is called once, when all contributions to the adjoint of
  /// `output` are in, and only if there are any. It may change that adjoint in place.
  template <class Backward>
  void on_backward(const Variable<Scalar>& output, Backward backward) {
    static_assert(
        std::is_trivially_destructible_v<Backward>,
        "a backward function must capture only handles, pointers and numbers: the tape's arena never "
        "runs destructors");
    static_assert(alignof(Backward) <= buffer_alignment);
    if (!output.needs_gradient())
      return;
    void* place = arena_.allocate<std::byte>(sizeof(Backward));
    auto* stored = ::new (place) Backward(std::move(backward));
    entries_.push_back({[](void* payload) { (*static_cast<Backward*>(payload))(); }, stored, output.node_});
  }
  /// Memory for the operation's own use, valid until `rewind`.
  template <class T>
  T* allocate(Index count) {
    return arena_.allocate<T>(static_cast<std::size_t>(std::max<Index>(count, 1)));
  }
  GemmWorkspace<Scalar>& workspace() noexcept { return workspace_; }

  /// Where the squared lengths of rows' gradients are added up; null: gradients are wanted.
  Scalar* row_squares() const noexcept { return row_squares_; }
  /// Notes that the length of each row's gradient by a parameter was added to the rows' squares.
  /// \throws Error if it was before: the gradient is that of both uses together
  /// \throws ShapeError unless `rows` are those that are audited
  void tell_rows(const Variable<Scalar>& parameter, Index rows) {
    Node& node = parameter.node();
    if (node.told)
      throw Error(
          "tape: a parameter is used twice, so that the lengths of rows' gradients by it do not add up");
    if (rows != rows_)
      throw ShapeError("tape: an operation on " + std::to_string(rows) + " rows, where " +
                       std::to_string(rows_) + " are audited");
    node.told = true;
  }
  /// The rows' own weights, for a loss over `rows` rows, which is marked as one; null: all are 1.
  /// \throws ShapeError unless `rows` are those that are weighed or audited
  const Scalar* weights_of_rows(const Variable<Scalar>& loss, Index rows) {
    if ((row_squares_ != nullptr || row_weights_ != nullptr) && rows != rows_)
      throw ShapeError("tape: a loss over " + std::to_string(rows) + " rows, where " + std::to_string(rows_) +
                       " are audited or weighed");
    loss.node().by_row = true;
    return row_weights_;
  }
  /// Marks a sum of losses over rows as one.
  void mark_by_row(const Variable<Scalar>& loss) { loss.node().by_row = true; }

  // ------------------------------------------------------------------------------------------------------

  /// Computes d loss / d p for every parameter p. Once per rewind: operations reuse the memory of adjoints,
  /// so that a second pass would count contributions twice; add losses instead.
  /// \throws ShapeError unless `loss` is 1 × 1
  /// \throws Error on a second call without `rewind`, or for a variable of another tape
  void backward(const Variable<Scalar>& loss) {
    backward(loss, [](const Scalar*) {});
  }
  /// The same for parameters whose gradients lie in one array: `on_final` is told from time to time from
  /// where on, to the array's end, they are final. \param on_final  (const Scalar*)
  template <class OnFinal>
  void backward(const Variable<Scalar>& loss, const OnFinal& on_final) {
    if (loss.tape_ != this)
      throw Error("backward: the loss is on another tape");
    if (loss.size() != 1)
      throw ShapeError("backward: the loss is " + std::to_string(loss.rows()) + " x " +
                       std::to_string(loss.columns()) + ", expected 1 x 1");
    if (differentiated_)
      throw Error("backward: called twice without a rewind of the tape in between");
    differentiated_ = true;
    if ((row_squares_ != nullptr || row_weights_ != nullptr) && !loss.by_row())
      throw Error("backward: rows are audited or weighed, but the loss is not known to be a sum over them");
    loss.adjoint()(0, 0) += Scalar(1);
    const bool audited = row_squares_ != nullptr;
    if (!audited)
      std::sort(parameters_.begin(), parameters_.end(),
                [](const Node* a, const Node* b) { return std::less<>()(b->adjoint, a->adjoint); });
    auto next = parameters_.begin(); // the last one in memory that is not final yet
    const auto finish = [&](std::size_t played) {
      const auto before = next;
      for (; next != parameters_.end() && (*next)->first_use >= played; ++next)
        if (!(*next)->written)
          std::fill_n((*next)->adjoint, (*next)->rows * (*next)->columns, Scalar(0));
      if (next != before)
        on_final((*std::prev(next))->adjoint);
    };
    for (std::size_t i = entries_.size(); i-- > 0;)
      if (entries_[i].output->written) {
        entries_[i].call(entries_[i].payload);
        if (!audited)
          finish(i);
      }
    if (row_squares_ != nullptr) {
      for (const Node* parameter : parameters_)
        if (parameter->written && !parameter->told)
          throw Error(
              "backward: rows are audited, but an operation cannot tell how long their gradients are");
      return;
    }
    finish(0);
  }

  /// Changes with each rewind.
  std::uint64_t generation() const noexcept { return generation_; }
  /// Operations recorded since the last rewind.
  std::size_t entries() const noexcept { return entries_.size(); }
  /// Bytes of arena memory held.
  std::size_t capacity() const noexcept { return arena_.capacity(); }

private:
  Node* parameter_node(const Scalar* values, Scalar* gradient, Index rows, Index columns) {
    const bool empty = rows <= 0 || columns <= 0;
    if (!empty) { // an empty matrix has no address of its own, and nothing to differentiate by
      if (gradient == nullptr)
        throw Error("tape: a parameter without memory for its gradient");
      for (Node* known : parameters_)
        if (known->value == values)
          return same_parameter(known, gradient, rows, columns);
    }
    Node* node = new_node(const_cast<Scalar*>(values), gradient, rows, columns, true);
    if (!empty)
      parameters_.push_back(node);
    return node;
  }
  static Node* same_parameter(Node* known, const Scalar* gradient, Index rows, Index columns) {
    if (known->rows != rows || known->columns != columns)
      throw ShapeError("tape: a parameter of " + std::to_string(known->rows) + " x " +
                       std::to_string(known->columns) + " was registered again as " + std::to_string(rows) +
                       " x " + std::to_string(columns));
    if (known->adjoint != gradient)
      throw Error("tape: a parameter was registered again with other memory for its gradient");
    return known;
  }
  struct Entry {
    void (*call)(void*);
    void* payload;
    Node* output;
  };
  Node* new_node(Scalar* value, Scalar* adjoint, Index rows, Index columns, bool needs_gradient) {
    if (rows < 0 || columns < 0)
      throw ShapeError("tape: a matrix of " + std::to_string(rows) + " x " + std::to_string(columns));
    Node* node = arena_.allocate<Node>(1);
    return ::new (node) Node{value,   adjoint,        rows,
                             columns, needs_gradient, false,
                             false,   false,          std::numeric_limits<std::size_t>::max()};
  }
  Variable<Scalar> handle(Node* node) { return Variable<Scalar>(this, node, generation_); }

  Arena arena_;
  std::vector<Entry> entries_;
  std::vector<Node*> parameters_;
  GemmWorkspace<Scalar> workspace_;
  std::uint64_t generation_ = 0;
  bool differentiated_ = false;
  Scalar* row_squares_ = nullptr;
  const Scalar* row_weights_ = nullptr;
  Index rows_ = 0; ///< that are audited or weighed
};

ROWSMITH_END
