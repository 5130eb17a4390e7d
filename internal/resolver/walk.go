package resolver

import (
	"reflect"

	"github.com/dop251/goja/ast"
)

// unwalked are the fields of syntax nodes that repeat what other fields hold, or
// hold names that refer to no variable.
var unwalked = map[string]bool{"DeclarationList": true, "File": true, "Label": true, "Meta": true, "Property": true, "Identifier": true}

// walk visits node and, where visit says so, what it is made of, in source
// order. Names of properties and labels are not visited.
func walk(node ast.Node, visit func(ast.Node) bool) {
	walkValue(reflect.ValueOf(node), visit)
}

func walkValue(v reflect.Value, visit func(ast.Node) bool) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			walkValue(v.Elem(), visit)
		}
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		if n, ok := v.Interface().(ast.Node); ok && !visit(n) {
			return
		}
		walkFields(v.Elem(), visit)
	case reflect.Slice:
		for i := range v.Len() {
			walkValue(v.Index(i), visit)
		}
	case reflect.Struct:
		walkValue(v.Addr(), visit)
	}
}

func walkFields(v reflect.Value, visit func(ast.Node) bool) {
	if v.Kind() != reflect.Struct {
		return
	}
	for i := range v.NumField() {
		if !unwalked[v.Type().Field(i).Name] {
			walkValue(v.Field(i), visit)
		}
	}
}
