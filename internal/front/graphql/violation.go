package graphql

import (
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// violation is AppSync's name and text for a broken validation rule. AppSync runs
// graphql-java; the names are its ValidationErrorType, the texts are from memory.
// $1, $2 stand for the names that gqlparser quotes; without a text gqlparser's
// own is used.
type violation struct{ name, text string }

// vocabulary is keyed by gqlparser's rule, and by rule and a phrase of the
// message where graphql-java has two rules for one.
var vocabulary = map[string]violation{
	"FieldsOnCorrectType":                 {"FieldUndefined", "Field '$1' in type '$2' is undefined"},
	"FragmentsOnCompositeTypes":           {"FragmentTypeConditionInvalid", ""},
	"KnownArgumentNames":                  {"UnknownArgument", "Unknown field argument $1"},
	"KnownArgumentNames/on directive":     {"UnknownArgument", ""},
	"KnownDirectives":                     {"UnknownDirective", ""},
	"KnownDirectives/may not be used":     {"MisplacedDirective", ""},
	"KnownFragmentNames":                  {"UndefinedFragment", "Undefined fragment $1"},
	"KnownTypeNames":                      {"UnknownType", "Unknown type $1"},
	"LoneAnonymousOperation":              {"LoneAnonymousOperationViolation", ""},
	"NoFragmentCycles":                    {"FragmentCycle", "Fragment cycles not allowed"},
	"NoUndefinedVariables":                {"UndefinedVariable", "Undefined variable $1"},
	"NoUnusedFragments":                   {"UnusedFragment", "Unused fragment $1"},
	"NoUnusedVariables":                   {"UnusedVariable", "Unused variable $1"},
	"OverlappingFieldsCanBeMerged":        {"FieldsConflict", ""},
	"PossibleFragmentSpreads":             {"InvalidFragmentType", ""},
	"ProvidedRequiredArguments":           {"MissingFieldArgument", "Missing field argument $2"},
	"ProvidedRequiredArguments/Directive": {"MissingDirectiveArgument", "Missing directive argument $2"},
	"ScalarLeafs":                         {"SubSelectionRequired", "Sub selection required for type $2 of field $1"},
	"ScalarLeafs/must not have":           {"SubSelectionNotAllowed", "Sub selection not allowed on leaf type $2 of field $1"},
	"SingleFieldSubscriptions":            {"SubscriptionMultipleRootFields", ""},
	"UniqueArgumentNames":                 {"DuplicateArgumentNames", ""},
	"UniqueDirectivesPerLocation":         {"DuplicateDirectiveName", ""},
	"UniqueFragmentNames":                 {"DuplicateFragmentName", ""},
	"UniqueOperationNames":                {"DuplicateOperationName", ""},
	"UniqueVariableNames":                 {"DuplicateVariableName", ""},
	"ValuesOfCorrectType":                 {"WrongType", ""},
	awsScalars:                            {"WrongType", ""},
	"VariablesAreInputTypes":              {"NonInputTypeOnVariable", ""},
	"VariablesInAllowedPosition":          {"VariableTypeMismatch", "Variable type '$2' doesn't match expected type '$3'"},
	"VariablesInAllowedPosition/must be":  {"VariableTypeMismatch", ""},
}

// validationRules are GraphQL's own rules and one of ours.
func validationRules() *rules.Rules {
	all := rules.NewDefaultRules()
	all.AddRule(awsScalars, checkScalars)
	return all
}

// awsScalars is our rule that literals of AppSync's scalars are well formed, and
// that those of Int have 32 bits, which gqlparser leaves open.
const awsScalars = "AWSScalars"

func checkScalars(observers *core.Events, report core.AddErrFunc) {
	observers.OnValue(func(_ *core.Walker, v *ast.Value) {
		if v.Definition == nil || !strings.HasPrefix(v.Definition.Name, "AWS") && v.Definition.Name != "Int" {
			return
		}
		isList := v.Kind == ast.ListValue && v.ExpectedType.Elem != nil // its items come by themselves
		if v.Kind == ast.Variable || v.Kind == ast.NullValue || isList {
			return
		}
		if v.Definition.Name == "Int" && v.Kind != ast.IntValue {
			return // GraphQL's own rule reports it
		}
		if _, err := leafLiteral(v, v.Definition); err != nil {
			report(core.Message("%s is not a valid %s", v.String(), v.Definition.Name), core.At(v.Position))
		}
	})
}

// maxViolations is how many are reported, graphql-java's own limit.
const maxViolations = 100

// violations is errs in AppSync's words, nil when there are none.
func violations(doc *ast.QueryDocument, errs gqlerror.List) invalidDocument {
	if len(errs) == 0 {
		return nil
	}
	errs = errs[:min(len(errs), maxViolations)]
	places := placesOf(doc)
	faults := make(invalidDocument, 0, len(errs))
	for _, err := range errs {
		var f fault
		place := ""
		for _, l := range err.Locations {
			f.locations = append(f.locations, location{l.Line, l.Column})
			if place == "" {
				place = places[location{l.Line, l.Column}]
			}
		}
		f.message = describe(err, place)
		faults = append(faults, f)
	}
	return faults
}

func describe(err *gqlerror.Error, place string) string {
	if err.Rule == "KnownRootType" {
		return "Schema is not configured for " + plural(quoted(err.Message)) + "."
	}
	v := violation{name: err.Rule}
	longest := 0
	for key, candidate := range vocabulary {
		rule, phrase, _ := strings.Cut(key, "/")
		if rule == err.Rule && len(key) > longest && strings.Contains(err.Message, phrase) {
			v, longest = candidate, len(key)
		}
	}
	text := err.Message
	if v.text != "" {
		text = v.text
		for i, name := range quoted(err.Message) {
			text = strings.ReplaceAll(text, "$"+strconv.Itoa(i+1), strings.TrimPrefix(name, "$"))
		}
	}
	message := "Validation error of type " + v.name + ": " + text
	if place != "" {
		message += " @ '" + place + "'"
	}
	return message
}

func plural(names []string) string {
	if len(names) == 1 && names[0] == "query" {
		return "queries"
	}
	return strings.Join(names, "") + "s"
}

// quoted lists what stands in double quotes in s.
func quoted(s string) []string {
	var names []string
	for i, part := range strings.Split(s, `"`) {
		if i%2 == 1 {
			names = append(names, part)
		}
	}
	return names
}

// placesOf maps positions of doc to where they are in graphql-java's terms: the
// names of the fields that lead there, after the fragment's name inside one.
func placesOf(doc *ast.QueryDocument) map[location]string {
	places := map[location]string{}
	var walk func(set ast.SelectionSet, prefix string)
	mark := func(p *ast.Position, place string) {
		if p != nil {
			places[location{p.Line, p.Column}] = strings.TrimPrefix(place, "/")
		}
	}
	var markValue func(v *ast.Value, place string)
	markValue = func(v *ast.Value, place string) {
		mark(v.Position, place)
		for _, child := range v.Children {
			mark(child.Position, place)
			markValue(child.Value, place)
		}
	}
	markDirectives := func(directives ast.DirectiveList, place string) {
		for _, d := range directives {
			mark(d.Position, place)
		}
	}
	walk = func(set ast.SelectionSet, prefix string) {
		for _, sel := range set {
			place := prefix
			switch sel := sel.(type) {
			case *ast.Field:
				place += "/" + sel.Name
				for _, arg := range sel.Arguments {
					mark(arg.Position, place)
					markValue(arg.Value, place)
				}
				markDirectives(sel.Directives, place)
				walk(sel.SelectionSet, place)
			case *ast.InlineFragment:
				markDirectives(sel.Directives, place)
				walk(sel.SelectionSet, place)
			case *ast.FragmentSpread:
				markDirectives(sel.Directives, place)
				place += "/" + sel.Name
			}
			mark(sel.GetPosition(), place)
		}
	}
	for _, op := range doc.Operations {
		walk(op.SelectionSet, "")
	}
	for _, fragment := range doc.Fragments {
		mark(fragment.Position, fragment.Name)
		walk(fragment.SelectionSet, fragment.Name)
	}
	return places
}
