// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
)

// checker walks a template before it runs. It takes a list of kinds of nodes, and refuses every other kind: what a later
// release of Go may add, too. Nothing that it takes can loop, so that the time is bounded by the number of nodes. It also
// finds a misspelt input in a branch that is not taken today.
type checker struct {
	tree   *parse.Tree
	secret bool
	nodes  *int // how many more there may be in all templates
}

// place is where a node stands.
type place struct {
	depth int
	// inWith is whether the dot is the value of a with, and not all inputs.
	inWith bool
}

func (p place) deeper() place { return place{depth: p.depth + 1, inWith: p.inWith} }

func (c checker) list(list *parse.ListNode, p place) error {
	if list == nil {
		return nil
	}
	for _, node := range list.Nodes {
		if err := c.node(node, p); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) node(node parse.Node, p place) error {
	if *c.nodes--; *c.nodes < 0 {
		return refuse("the templates have more than %d parts together; write fewer", maxNodes)
	}
	if p.depth > maxDepth {
		// Without the place: the source of a node so deep is long.
		return refuse("parts stand in each other more than %d deep; write fewer parentheses, if, else if and with", maxDepth)
	}
	switch n := node.(type) {
	case *parse.TextNode, *parse.BoolNode, *parse.StringNode, *parse.IdentifierNode:
		return nil
	case *parse.NumberNode:
		return c.number(n)
	case *parse.NilNode:
		return c.refuse(n, `nil is no text; write "" for an empty one`)
	case *parse.ActionNode:
		return c.pipe(n.Pipe, p)
	case *parse.PipeNode:
		return c.pipe(n, p)
	case *parse.IfNode:
		return c.branch(&n.BranchNode, p, p.inWith)
	case *parse.WithNode:
		return c.branch(&n.BranchNode, p, true)
	case *parse.DotNode:
		if !p.inWith {
			return c.refuse(n, "all inputs at once are no text; write one of them, such as .server")
		}
		return nil
	case *parse.FieldNode:
		return c.input(n, n.Ident, p.inWith)
	case *parse.VariableNode:
		return c.variable(n)
	case *parse.ChainNode:
		return c.refuse(n, "inputs and results are texts without fields; write the name of an input, such as .server")
	case *parse.RangeNode:
		return c.refuse(n.Pipe, "range is not for use here, since nothing may loop; write what is wanted once for each")
	case *parse.TemplateNode:
		return c.refuse(n, "template is not for use here; write the text where it is wanted")
	}
	return c.refuse(node, "this is not for use here; write if, else, with, variables, inputs and functions only")
}

func (c checker) branch(n *parse.BranchNode, p place, inWith bool) error {
	if err := c.pipe(n.Pipe, p); err != nil {
		return err
	}
	if err := c.list(n.List, place{depth: p.depth + 1, inWith: inWith}); err != nil {
		return err
	}
	return c.list(n.ElseList, p.deeper()) // the else of a with has the dot of before
}

func (c checker) pipe(n *parse.PipeNode, p place) error {
	for _, command := range n.Cmds {
		for _, argument := range command.Args {
			if err := c.node(argument, p.deeper()); err != nil {
				return err
			}
		}
	}
	for _, declared := range n.Decl {
		if declared.Ident[0] == "$" {
			return c.refuse(declared, "$ stands for the inputs; write another name, such as $x")
		}
	}
	return nil
}

// signedHex is what text/template takes for a number with an exponent where there is an e in it.
var signedHex = regexp.MustCompile(`^[+-]0[xX]`)

// number lets whole numbers pass, and characters, which stand for theirs.
func (c checker) number(n *parse.NumberNode) error {
	_, err := strconv.ParseInt(n.Text, 0, strconv.IntSize)
	if (err != nil || signedHex.MatchString(n.Text)) && !strings.HasPrefix(n.Text, "'") {
		return c.refuse(n, "numbers are whole here, and not larger than the machine's; write one such as 10, or a text in quotes")
	}
	return nil
}

func (c checker) variable(n *parse.VariableNode) error {
	switch {
	case n.Ident[0] == "$" && len(n.Ident) == 1:
		return c.refuse(n, "all inputs at once are no text; write one of them, such as $.server")
	case n.Ident[0] == "$":
		return c.input(n, n.Ident[1:], false)
	case len(n.Ident) > 1:
		return c.refuse(n, "variables are texts without fields; write the variable alone")
	}
	return nil
}

// input is for the dot or $ with names behind it.
func (c checker) input(n parse.Node, names []string, inWith bool) error {
	switch {
	case !slices.Contains(inputNames, names[0]):
		return c.refuse(n, "there is no such input; write one of "+strings.Join(inputNames, ", "))
	case len(names) > 1:
		return c.refuse(n, "inputs are texts without fields; write ."+names[0])
	case inWith:
		return c.refuse(n, "inside with, the dot is the value of with; write $."+names[0])
	case !c.secret && slices.Contains(secretInputs, names[0]):
		return c.refuse(n, "it holds the private key, and the names of keys are shown; write an input that does not, such as .clusterName")
	}
	return nil
}

func (c checker) refuse(n parse.Node, why string) error { return at(c.tree, n, why) }
