// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"fmt"
	"slices"
	"strings"
	"text/template/parse"
)

// Templates mean what text/template makes of them, and it reads them (text/template/parse). It does not run them: it looks
// methods up by their names, so that the linker has to keep every method of every type, which makes the operator's file a quarter
// larger. What a checker lets pass is small enough to be run here, and the tests run all of it by text/template, too.

// run executes the template and returns what it wrote. A program that must not see the private key has no function that does.
func (p program) run(inputs map[string]string, w *work) (string, error) {
	r := runner{tree: p.tree, inputs: inputs, functions: w.functions(p.secret), out: &written{work: w}}
	if err := r.list(p.tree.Root, nil); err != nil {
		return "", err
	}
	return r.out.text.String(), nil
}

// runner runs a tree that a checker has let pass, in which each node runs at most once.
type runner struct {
	tree      *parse.Tree
	inputs    map[string]string
	functions map[string]function
	out       *written
	variables []variable // those that can be seen, the innermost last
}

type variable struct {
	name  string
	value value
}

func (r *runner) list(list *parse.ListNode, dot value) error {
	if list == nil {
		return nil
	}
	for _, node := range list.Nodes {
		if err := r.node(node, dot); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) node(node parse.Node, dot value) error {
	switch n := node.(type) {
	case *parse.TextNode:
		return r.out.write(string(n.Text))
	case *parse.ActionNode:
		result, err := r.pipe(n.Pipe, dot)
		if err != nil || len(n.Pipe.Decl) > 0 {
			return err
		}
		return r.out.write(fmt.Sprint(result))
	case *parse.IfNode:
		return r.branch(&n.BranchNode, dot, func(value) value { return dot })
	case *parse.WithNode:
		return r.branch(&n.BranchNode, dot, func(condition value) value { return condition })
	}
	return r.refuse(node, refusal(cannotRun))
}

// branch runs one of both lists, the first with the dot that inner gives. Variables of the branch end with it.
func (r *runner) branch(n *parse.BranchNode, dot value, inner func(condition value) value) error {
	outer := len(r.variables)
	defer func() { r.variables = r.variables[:outer] }()
	condition, err := r.pipe(n.Pipe, dot)
	switch {
	case err != nil:
		return err
	case isTrue(condition):
		return r.list(n.List, inner(condition))
	}
	return r.list(n.ElseList, dot)
}

// pipe gives each command what the one before it gave, as its last argument.
func (r *runner) pipe(n *parse.PipeNode, dot value) (result value, err error) {
	for _, command := range n.Cmds {
		if result, err = r.command(command, dot, result); err != nil {
			return nil, err
		}
	}
	for _, declared := range n.Decl {
		if !n.IsAssign {
			r.variables = append(r.variables, variable{declared.Ident[0], result})
			continue
		}
		assigned, err := r.variable(declared)
		if err != nil {
			return nil, err
		}
		assigned.value = result
	}
	return result, nil
}

// variable is the innermost of a name. The parser takes an assignment for a declaration, also one that is not run.
func (r *runner) variable(n *parse.VariableNode) (*variable, error) {
	for i := range slices.Backward(r.variables) {
		if r.variables[i].name == n.Ident[0] {
			return &r.variables[i], nil
		}
	}
	return nil, r.refuse(n, refusal("there is no such variable; write := in place of = where it gets its first value"))
}

// command is a call, or a value alone. piped is nil in the first command of a pipe.
func (r *runner) command(n *parse.CommandNode, dot, piped value) (value, error) {
	if name, ok := n.Args[0].(*parse.IdentifierNode); ok {
		return r.call(name, n, n.Args[1:], dot, piped)
	}
	if len(n.Args) > 1 || piped != nil {
		return nil, r.refuse(n.Args[0], refusal("it is no function and takes no argument; write one before it"))
	}
	return r.operand(n.Args[0], dot)
}

func (r *runner) operand(node parse.Node, dot value) (value, error) {
	switch n := node.(type) {
	case *parse.FieldNode:
		return r.input(n, n.Ident[0])
	case *parse.VariableNode:
		if n.Ident[0] == "$" {
			return r.input(n, n.Ident[1])
		}
		known, err := r.variable(n)
		if err != nil {
			return nil, err
		}
		return known.value, nil
	case *parse.DotNode:
		return dot, nil
	case *parse.StringNode:
		return n.Text, nil
	case *parse.NumberNode:
		return int(n.Int64), nil
	case *parse.BoolNode:
		return n.True, nil
	case *parse.PipeNode:
		return r.pipe(n, dot)
	case *parse.IdentifierNode:
		return r.call(n, n, nil, dot, nil)
	}
	return nil, r.refuse(node, refusal(cannotRun))
}

func (r *runner) input(n parse.Node, name string) (value, error) {
	text, ok := r.inputs[name]
	if !ok {
		return nil, r.refuse(n, refusal(cannotRun))
	}
	return text, nil
}

// call calls a function. whole is what its own errors are about, with the arguments.
func (r *runner) call(name *parse.IdentifierNode, whole parse.Node, arguments []parse.Node, dot, piped value) (value, error) {
	f, ok := r.functions[name.Ident]
	if !ok {
		return nil, r.refuse(name, refusal(cannotRun))
	}
	n := len(arguments)
	if piped != nil {
		n++
	}
	if err := f.number(name.Ident, n); err != nil {
		return nil, r.refuse(name, err)
	}
	values := make([]value, 0, n)
	for i, argument := range arguments {
		v, err := r.operand(argument, dot)
		if err != nil {
			return nil, err
		}
		if err := f.fits(name.Ident, i, v); err != nil {
			return nil, r.refuse(argument, err)
		}
		if f.ends != nil && f.ends(v) {
			return v, nil
		}
		values = append(values, v)
	}
	if piped != nil {
		if err := f.fits(name.Ident, len(values), piped); err != nil {
			return nil, r.refuse(name, err)
		}
		values = append(values, piped)
	}
	result, err := guarded(f.call, values)
	if err != nil {
		return nil, r.refuse(whole, err)
	}
	return result, nil
}

// guarded makes a refusal of a panic: where a library fails, a certificate that is not stored yet must not be lost with it. What it
// panics with may be a value.
func guarded(call func([]value) (value, error), values []value) (result value, err error) {
	defer func() {
		if recover() != nil {
			err = refusal(cannotRun)
		}
	}()
	return call(values)
}

// cannotRun is for what should not be: a checker refuses what is not known here, and functions have errors.
const cannotRun = "it cannot be run"

func (r *runner) refuse(n parse.Node, why error) error { return at(r.tree, n, why.Error()) }

// written is what one template has written. All of them share what work allows.
type written struct {
	work *work
	text strings.Builder
}

// write refuses what is too large before it is kept.
func (o *written) write(text string) error {
	if o.work.output -= len(text); o.work.output < 0 {
		return refuse("the keys and values come out larger than %d KiB together; write less", maxOutputBytes>>10)
	}
	o.text.WriteString(text)
	return nil
}
