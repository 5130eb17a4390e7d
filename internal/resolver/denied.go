package resolver

import (
	"slices"

	"github.com/dop251/goja/ast"
)

// deniedMethods is what the plugin's no-disallowed-methods refuses, by receiver.
// String.raw is on its list and in the documented runtime: it is not refused.
// Methods of Date need no list, there is no Date.
var deniedMethods = map[string][]string{
	"Array": {"copyWithin", "entries", "from", "group", "groupToMap", "keys", "of", "toLocaleString", "toString", "values"},
	"Object": {"create", "defineProperties", "defineProperty", "freeze", "getOwnPropertyDescriptor",
		"getOwnPropertyDescriptors", "getOwnPropertyNames", "getOwnPropertySymbols", "getPrototypeOf", "hasOwnProperty",
		"is", "isExtensible", "isFrozen", "isPrototypeOf", "isSealed", "preventExtensions", "propertyIsEnumerable",
		"seal", "setPrototypeOf", "toLocaleString", "toString", "valueOf"},
	"String": {"charCodeAt", "fromCharCode", "fromCodePoint", "localeCompare", "matchAll", "padEnd", "padStart",
		"repeat", "search", "toLocaleLowerCase", "toLocaleUpperCase", "valueOf"},
}

// unmistakable are denied methods that no other receiver is likely to have, so
// that a call is refused whatever it is called on.
var unmistakable = []string{"copyWithin", "groupToMap", "charCodeAt", "localeCompare", "matchAll", "padEnd", "padStart",
	"repeat", "toLocaleLowerCase", "toLocaleUpperCase", "toLocaleString"}

// deniedOn is the kind of receiver that makes the call of method refused, empty
// when it is not. A receiver's kind is known when it is a literal or the
// constructor by name.
func deniedOn(receiver ast.Expression, method string, declared map[string]bool) string {
	kind := ""
	switch r := receiver.(type) {
	case *ast.ArrayLiteral:
		kind = "Array"
	case *ast.StringLiteral, *ast.TemplateLiteral:
		kind = "String"
	case *ast.Identifier:
		if name := r.Name.String(); !declared[name] {
			kind = name
		}
	}
	if slices.Contains(deniedMethods[kind], method) {
		return kind
	}
	if !slices.Contains(unmistakable, method) {
		return ""
	}
	for _, kind := range []string{"Array", "String"} {
		if slices.Contains(deniedMethods[kind], method) {
			return kind
		}
	}
	return ""
}
