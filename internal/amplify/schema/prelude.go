package schema

import _ "embed"

//go:embed prelude.graphql
var prelude string

// Prelude declares what AppSync builds in: its scalars and directives (AppSync
// Developer Guide, "Scalar types in GraphQL" and "Configuring authorization").
// A GraphQL parser reads Prelude and Deploy together.
func Prelude() string { return prelude }
