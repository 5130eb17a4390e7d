package resolver

import (
	"slices"
	"strings"

	"fairway/backend"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/token"
)

// lint finds what AppSync refuses at deployment: the base rules of
// @aws-appsync/eslint-plugin 2.0.2, throw, globals that the runtime does not
// have, and those of the plugin's denied methods that can be told without types.
func lint(entry string, tree *ast.Program) []backend.Finding {
	l := &linter{entry: entry, tree: tree, declared: declaredNames(tree)}
	walk(tree, l.visit)
	for _, f := range handlerFunctions(tree) {
		l.checkReassignment(f)
	}
	return l.findings
}

type linter struct {
	entry    string
	tree     *ast.Program
	declared map[string]bool
	findings []backend.Finding
}

func (l *linter) report(at file.Idx, rule, message, fix string) {
	if line, ok := projectLine(l.tree, at); ok {
		l.findings = append(l.findings, finding(l.entry, line, rule, message, fix))
	}
}

// projectLine is the line of a place in the resolver file; ok is false for one
// in a module of the runtime or in the bundler's own code.
func projectLine(tree *ast.Program, at file.Idx) (line int, ok bool) {
	position := tree.File.Position(int(at) - 1)
	return position.Line, strings.Contains(position.Filename, fromProject+":")
}

// visit applies the rules to one node. The rules' names are the plugin's.
func (l *linter) visit(n ast.Node) bool {
	refuse := func(rule, what, fix string) { l.report(n.Idx0(), rule, what+" is not supported by APPSYNC_JS", fix) }
	switch n := n.(type) {
	case *ast.FunctionLiteral:
		if n.Async {
			refuse("no-async", "an async function", "make it a plain function")
		}
		if n.Generator {
			refuse("no-generators", "a generator", "return an array")
		}
	case *ast.ArrowFunctionLiteral:
		if n.Async {
			refuse("no-async", "an async function", "make it a plain function")
		}
	case *ast.AwaitExpression:
		refuse("no-await", "await", "return the request and read ctx.result in response")
	case *ast.YieldExpression:
		refuse("no-yield", "yield", "return an array")
	case *ast.ClassLiteral:
		refuse("no-classes", "a class", "use plain objects and functions")
	case *ast.ForStatement:
		refuse("no-for", "a C-style for loop", "use for-of or for-in")
	case *ast.WhileStatement, *ast.DoWhileStatement:
		refuse("no-while", "a while loop", "use for-of or for-in")
	case *ast.BranchStatement:
		if n.Token == token.CONTINUE {
			refuse("no-continue", "continue", "put the rest of the body into an if")
		}
	case *ast.LabelledStatement:
		refuse("no-labels", "a label", "use break without a label")
	case *ast.RegExpLiteral:
		refuse("no-regex", "a regular expression literal", "use util.matches, or replace with a pattern string")
	case *ast.ThisExpression:
		refuse("no-this", "this", "use the handler's parameter")
	case *ast.TryStatement:
		refuse("no-try", "try", "check values before they are used")
	case *ast.ThrowStatement:
		refuse("no-throw", "throw", "call util.error")
	case *ast.UnaryExpression:
		l.unary(n)
	case *ast.BinaryExpression:
		switch n.Operator {
		case token.INSTANCEOF:
			refuse("no-disallowed-binary-operators", "instanceof", "use typeof or compare a property")
		case token.IN:
			refuse("no-in-operator", "the in operator", "use Object.hasOwn")
		}
	case *ast.Identifier:
		l.reference(n)
	case *ast.PropertyShort:
		l.reference(&n.Name)
		walk(orNothing(n.Initializer), l.visit)
		return false
	case *ast.CallExpression:
		l.call(n)
	}
	return true
}

// orNothing is e, or an empty statement in place of no expression.
func orNothing(e ast.Expression) ast.Node {
	if e == nil {
		return &ast.EmptyStatement{}
	}
	return e
}

func (l *linter) unary(n *ast.UnaryExpression) {
	fixes := map[token.Token]string{token.INCREMENT: "use += 1", token.DECREMENT: "use -= 1", token.BITWISE_NOT: "use -x - 1"}
	if fix, refused := fixes[n.Operator]; refused {
		l.report(n.Idx0(), "no-disallowed-unary-operators", "the "+n.Operator.String()+" operator is not supported by APPSYNC_JS", fix)
	}
}

// allowedGlobals is what APPSYNC_JS has beside the code's own names.
var allowedGlobals = []string{"Object", "Array", "String", "Number", "Math", "JSON", "console", "NaN", "Infinity",
	"undefined", "util", "extensions", "runtime", "arguments"}

// globalFixes is what to use in place of the globals that people miss most.
var globalFixes = map[string]string{
	"Date":       "use util.time",
	"RegExp":     "use util.matches, or replace with a pattern string",
	"Map":        "use an object",
	"Set":        "use an object",
	"Symbol":     "use a string",
	"Error":      "call util.error",
	"parseInt":   "use the unary +",
	"parseFloat": "use the unary +",
	"BigInt":     "use a number",
	"fetch":      "use an HTTP data source",
}

func (l *linter) reference(id *ast.Identifier) {
	name := id.Name.String()
	switch {
	case l.declared[name] || slices.Contains(allowedGlobals, name):
	case name == "Promise":
		l.report(id.Idx, "no-promise", "Promise is not supported by APPSYNC_JS", "return the request and read ctx.result in response")
	default:
		l.report(id.Idx, "no-undefined-global", name+" is not a global of APPSYNC_JS", globalFixes[name])
	}
}

func (l *linter) call(n *ast.CallExpression) {
	if id, ok := n.Callee.(*ast.Identifier); ok && id.Name == "Number" && !l.declared["Number"] {
		l.report(n.Idx0(), "no-disallowed-methods", "Number as a function is not supported by APPSYNC_JS", "use the unary +")
	}
	receiver, method, ok := member(n.Callee)
	if !ok {
		return
	}
	if kind := deniedOn(receiver, method, l.declared); kind != "" {
		l.report(n.Idx0(), "no-disallowed-methods", kind+"."+method+" is not supported by APPSYNC_JS", "")
	}
	if len(n.ArgumentList) == 0 {
		return
	}
	if method == "sort" {
		l.report(n.Idx0(), "no-disallowed-methods", "sort takes no argument in APPSYNC_JS", "sort without a comparison, or sort in the data source")
	}
	pattern, ok := n.ArgumentList[0].(*ast.StringLiteral)
	if ok && slices.Contains([]string{"replace", "replaceAll", "match", "matches"}, method) {
		if _, err := regex(pattern.Value.String()); err != nil {
			l.report(n.Idx0(), "no-unsafe-regex", err.Error(), "use a pattern without look-around and back-references")
		}
	}
}

// member takes x.name and x["name"] apart, optional or not.
func member(e ast.Expression) (receiver ast.Expression, name string, ok bool) {
	switch e := e.(type) {
	case *ast.DotExpression:
		return e.Left, e.Identifier.Name.String(), true
	case *ast.BracketExpression:
		if key, ok := e.Member.(*ast.StringLiteral); ok {
			return e.Left, key.Value.String(), true
		}
	case *ast.OptionalChain:
		return member(e.Expression)
	case *ast.Optional:
		return member(e.Expression)
	}
	return nil, "", false
}

// declaredNames is every name that the code binds anywhere. It knows no scopes,
// so a global's name that is bound in one function passes in all.
func declaredNames(tree *ast.Program) map[string]bool {
	names := map[string]bool{}
	bind := func(target ast.Node) {
		walk(target, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Identifier:
				names[n.Name.String()] = true
			case *ast.PropertyShort:
				names[n.Name.Name.String()] = true
			}
			return true
		})
	}
	walk(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Binding:
			bind(n.Target)
		case *ast.ForDeclaration:
			bind(n.Target)
		case *ast.ParameterList:
			bind(orNothing(n.Rest))
		case *ast.FunctionLiteral:
			if n.Name != nil {
				bind(n.Name)
			}
		case *ast.ClassLiteral:
			if n.Name != nil {
				bind(n.Name)
			}
		case *ast.CatchStatement:
			if n.Parameter != nil {
				bind(n.Parameter)
			}
		}
		return true
	})
	return names
}
