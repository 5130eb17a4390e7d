package resolver

import (
	"errors"
	"slices"

	"fairway/backend"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/parser"
	"github.com/dop251/goja/token"
	"github.com/dop251/goja/unistring"
)

// compile checks a bundled script against AppSync's rules, makes its loops count
// their iterations, and compiles it.
func compile(entry, script string, maxIterations int) (program *goja.Program, findings []backend.Finding) {
	// The engine's parser and compiler are not ours: what they cannot take must
	// refuse the file, not end the process.
	defer func() {
		if x := recover(); x != nil {
			program, findings = nil, []backend.Finding{syntaxFinding(entry, panicError(x))}
		}
	}()
	// The bundle carries its map inside. Any other would be read from the disk.
	tree, err := parser.ParseFile(nil, entry, script, parser.IgnoreRegExpErrors, noSourceMaps)
	if err != nil {
		return nil, []backend.Finding{syntaxFinding(entry, err)}
	}
	if findings := lint(entry, tree); len(findings) > 0 {
		slices.SortStableFunc(findings, byLine)
		return nil, slices.CompactFunc(findings, func(a, b backend.Finding) bool { return a == b })
	}
	countLoops(tree, maxIterations)
	checkTexts(tree)
	lendDefineProperty(tree)
	program, err = goja.CompileAST(tree, true)
	if err != nil {
		return nil, []backend.Finding{syntaxFinding(entry, err)}
	}
	return program, nil
}

// syntaxFinding is for what the bundler accepts and the engine does not.
func syntaxFinding(entry string, err error) backend.Finding {
	line, message := 0, err.Error()
	switch e := err.(type) {
	case parser.ErrorList:
		line, message = e[0].Position.Line, e[0].Message
	case *goja.CompilerSyntaxError:
		line, message = e.File.Position(e.Offset).Line, e.Message
	}
	return finding(entry, line, "syntax", message, "use a construct that APPSYNC_JS supports")
}

var noSourceMaps = parser.WithSourceMapLoader(func(string) ([]byte, error) {
	return nil, errors.New("source maps are not read")
})

// Names that no source text can spell, so that they clash with none.
const (
	counterName = "loop "
	limitName   = "iteration limit "
	defineName  = "define property "
	checkName   = "checked text "
)

// countLoops makes every for-of and for-in loop count to limit and then throw.
// Each loop has one counter, set back where the loop's source is evaluated:
//
//	for (x of (n = 0, SOURCE)) { if (++n > limit) RAISE(); BODY }
func countLoops(tree *ast.Program, limit int) {
	var counters []*ast.Binding
	counted := func(at file.Idx, source *ast.Expression, body *ast.Statement) {
		name := unistring.String(counterName + string(rune('a'+len(counters))))
		id := func() *ast.Identifier { return &ast.Identifier{Name: name, Idx: at} }
		number := func(n int) ast.Expression { return &ast.NumberLiteral{Idx: at, Value: int64(n)} }
		counters = append(counters, &ast.Binding{Target: id(), Initializer: number(0)})
		*source = &ast.SequenceExpression{Sequence: []ast.Expression{
			&ast.AssignExpression{Operator: token.ASSIGN, Left: id(), Right: number(0)}, *source,
		}}
		*body = &ast.BlockStatement{LeftBrace: at, RightBrace: at, List: []ast.Statement{
			&ast.IfStatement{
				If: at,
				Test: &ast.BinaryExpression{
					Operator: token.GREATER, Comparison: true,
					Left:  &ast.UnaryExpression{Operator: token.INCREMENT, Idx: at, Operand: id()},
					Right: number(limit),
				},
				Consequent: &ast.ExpressionStatement{Expression: &ast.CallExpression{
					Callee: &ast.Identifier{Name: limitName, Idx: at}, LeftParenthesis: at, RightParenthesis: at,
				}},
			},
			*body,
		}}
	}
	walk(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ForOfStatement:
			counted(n.For, &n.Source, &n.Body)
		case *ast.ForInStatement:
			counted(n.For, &n.Source, &n.Body)
		}
		return true
	})
	if len(counters) > 0 {
		module := tree.Body[0].(*ast.ExpressionStatement).Expression.(*ast.FunctionLiteral)
		declare := &ast.LexicalDeclaration{Idx: module.Function, Token: token.LET, List: counters}
		module.Body.List = slices.Insert(module.Body.List, 1, ast.Statement(declare)) // after "use strict"
	}
}

// lendDefineProperty gives the bundler's own code the Object.defineProperty that
// the realm does not have. That code makes the object of a module that is used
// as a value, as in Object.keys(dynamodb) after import * as dynamodb.
func lendDefineProperty(tree *ast.Program) {
	walk(tree, func(n ast.Node) bool {
		b, ok := n.(*ast.Binding)
		if !ok {
			return true
		}
		receiver, name, _ := member(b.Initializer)
		if object, ok := receiver.(*ast.Identifier); !ok || object.Name != "Object" || name != "defineProperty" {
			return true
		}
		if _, theirs := projectLine(tree, b.Idx0()); !theirs {
			b.Initializer = &ast.Identifier{Name: defineName, Idx: b.Idx0()}
		}
		return true
	})
}
