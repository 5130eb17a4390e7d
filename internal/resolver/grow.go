package resolver

import (
	"reflect"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"
	"github.com/dop251/goja/unistring"
)

// checkTexts hands what +, += and templates make to a check of its length, since
// a text that is joined to itself doubles: CHECK(a + b), CHECK(a += b). One that
// is joined to a literal grows by what the code is long, and is not checked. A
// template is joined one value at a time: `a${x}b${y}c` is CHECK(`${`a${x}b`}${y}c`).
func checkTexts(tree *ast.Program) {
	checked := func(e ast.Expression) ast.Expression {
		return &ast.CallExpression{
			Callee:          &ast.Identifier{Name: checkName, Idx: e.Idx0()},
			LeftParenthesis: e.Idx0(), ArgumentList: []ast.Expression{e}, RightParenthesis: e.Idx0(),
		}
	}
	rewrite(reflect.ValueOf(tree), func(e ast.Expression) ast.Expression {
		switch e := e.(type) {
		case *ast.BinaryExpression:
			if e.Operator == token.PLUS && !isLiteral(e.Left) && !isLiteral(e.Right) {
				return checked(e)
			}
		case *ast.AssignExpression:
			if e.Operator == token.PLUS && !isLiteral(e.Right) {
				return checked(e)
			}
		case *ast.TemplateLiteral:
			if e.Tag == nil && len(e.Expressions) > 1 {
				return joinedInTurn(e, checked)
			}
		}
		return e
	})
}

func isLiteral(e ast.Expression) bool {
	switch e.(type) {
	case *ast.StringLiteral, *ast.NumberLiteral:
		return true
	}
	return false
}

func joinedInTurn(t *ast.TemplateLiteral, checked func(ast.Expression) ast.Expression) ast.Expression {
	nothing := &ast.TemplateElement{Idx: t.OpenQuote, Parsed: unistring.String(""), Valid: true}
	joined := func(elements []*ast.TemplateElement, values ...ast.Expression) ast.Expression {
		return &ast.TemplateLiteral{OpenQuote: t.OpenQuote, CloseQuote: t.CloseQuote, Elements: elements, Expressions: values}
	}
	text := joined(t.Elements[:2], t.Expressions[0])
	for i, value := range t.Expressions[1:] {
		text = checked(joined([]*ast.TemplateElement{nothing, nothing, t.Elements[i+2]}, text, value))
	}
	return text
}

// rewrite puts change of each expression in its place, the innermost first.
func rewrite(v reflect.Value, change func(ast.Expression) ast.Expression) {
	switch v.Kind() {
	case reflect.Interface:
		if v.IsNil() {
			return
		}
		rewrite(v.Elem(), change)
		if v.Type() == reflect.TypeFor[ast.Expression]() {
			v.Set(reflect.ValueOf(change(v.Interface().(ast.Expression))))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			rewrite(v.Elem(), change)
		}
	case reflect.Slice:
		for i := range v.Len() {
			rewrite(v.Index(i), change)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !unwalked[v.Type().Field(i).Name] {
				rewrite(v.Field(i), change)
			}
		}
	}
}
