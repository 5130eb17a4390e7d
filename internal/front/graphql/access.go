package graphql

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"fairway/backend"
	"fairway/internal/inference"
)

// access is who may read a field: the modes it is open to and, for user pools,
// the groups of which the caller must have one.
type access struct {
	modes  []backend.Mode
	groups []string // nil: any signed-in user
}

// authDirectives maps AppSync's directives to the mode they open a field to.
// @aws_auth is the older name that knows user pools alone.
var authDirectives = map[string]backend.Mode{
	"aws_api_key":            backend.APIKey,
	"aws_cognito_user_pools": backend.UserPool,
	"aws_auth":               backend.UserPool,
	"aws_iam":                backend.IAM,
	"aws_oidc":               backend.OIDC,
	"aws_lambda":             backend.Lambda,
}

// fieldAccess decides AppSync's rule for every field: its own directives, else
// those of its type, else the API's default mode. Introspection is open to all.
func fieldAccess(s *ast.Schema, byDefault backend.Mode) map[*ast.FieldDefinition]*access {
	fields := map[*ast.FieldDefinition]*access{}
	for _, def := range s.Types {
		if def.Kind != ast.Object || isIntrospection(def.Name) {
			continue
		}
		typeAccess := directiveAccess(def.Directives)
		if typeAccess == nil {
			typeAccess = &access{modes: []backend.Mode{byDefault}}
		}
		for _, field := range def.Fields {
			if isIntrospection(field.Name) {
				continue
			}
			fields[field] = typeAccess
			if own := directiveAccess(field.Directives); own != nil {
				fields[field] = own
			}
		}
	}
	return fields
}

// directiveAccess is the access that a list of directives spells out, nil when
// none of them is about authorization.
func directiveAccess(directives ast.DirectiveList) *access {
	var a *access
	for _, d := range directives {
		mode, ok := authDirectives[d.Name]
		if !ok {
			continue
		}
		if a == nil {
			a = &access{}
		}
		a.modes = append(a.modes, mode)
		if arg := d.Arguments.ForName("cognito_groups"); arg != nil {
			a.groups = []string{}
			for _, group := range arg.Value.Children {
				a.groups = append(a.groups, group.Value.Raw)
			}
		}
	}
	return a
}

// allows reports whether who may read the field.
func (a *access) allows(who *inference.Identity) bool {
	if a == nil {
		return true
	}
	mode := backend.Mode(who.Mode)
	if !slices.Contains(a.modes, mode) {
		return false
	}
	if mode != backend.UserPool || a.groups == nil {
		return true
	}
	return slices.ContainsFunc(who.Groups, func(g string) bool { return slices.Contains(a.groups, g) })
}

// mayRead reports whether the caller's mode, groups and authorizer leave f open.
func (e *execution) mayRead(f *field) bool {
	return f.access.allows(&e.who) && (e.denied == nil || !e.denied[f.parent.Name+"."+f.name])
}

// authorize decides about a field of the operation, for which callers of the mode
// AWS_IAM need a permission beside.
func (e *execution) authorize(ctx context.Context, f *field) *backend.Error {
	if !e.mayRead(f) {
		return unauthorized(f)
	}
	if backend.Mode(e.who.Mode) != backend.IAM {
		return nil
	}
	if e.permit == nil {
		return unauthorized(f)
	}
	err := e.permit(&e.who, f.parent.Name, f.name)
	switch {
	case err == nil:
		return nil
	case inference.AsError(err).Kind == inference.AccessDenied:
		e.log.LogAttrs(ctx, slog.LevelInfo, "call denied", slog.String("request_id", e.id), slog.Any("error", err))
		return unauthorized(f)
	default:
		e.warn(ctx, f, "authorization failed", err)
		return internalFailure()
	}
}

// deniedFields are the fields of a list as "Type.field". It may name them by their
// ARNs too, of which those of another API say nothing here (AppSync Developer Guide,
// "AWS_LAMBDA authorization").
func deniedFields(list []string) map[string]bool {
	if len(list) == 0 {
		return nil
	}
	denied := make(map[string]bool, len(list))
	for _, name := range list {
		if strings.HasPrefix(name, "arn:") {
			_, path, _ := strings.Cut(name, ":apis/"+backend.APIID+"/types/")
			typ, field, _ := strings.Cut(path, "/fields/")
			name = typ + "." + field
		}
		denied[name] = true
	}
	return denied
}

// isIntrospection reports whether name is one that GraphQL keeps for itself.
func isIntrospection(name string) bool { return len(name) > 1 && name[:2] == "__" }
