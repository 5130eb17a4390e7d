// Package schema is Amplify Gen 2's schema builder `a`: a JavaScript module that
// records what a schema says, and the meaning of that record in Go. It prints the
// SDL exactly as @aws-amplify/data-schema 1.26 does, the SDL that AppSync serves
// for it, and the introspection from which the typed client makes its operations.
//
// The three forms come from one list of definitions: Build makes it and prints
// the builder's form, Deploy and Introspection read it.
package schema

import (
	_ "embed"
	"encoding/json"
	"strings"

	"fairway/backend"
)

//go:embed builder.js
var module string

// Module is the builder as a CommonJS module that exports `a`. It calls the global
// __at(), which the host supplies and which returns the position ("file:line") of
// the nearest caller outside the module. The object that a.schema or a.combine
// returns has record(), whose JSON is what Build reads.
func Module() string { return module }

// Error is why a schema does not build. Message is the real builder's where it has one.
type Error struct {
	Message string
	At      string // "file:line" of the declaration, empty when it has none
}

// Error is the message with its position before it.
func (e *Error) Error() string {
	if e.At == "" {
		return e.Message
	}
	return e.At + ": " + e.Message
}

// Built is a schema that builds. It is not modified after Build.
type Built struct {
	SDL string // as a.schema(...).transform().schema prints it

	// Operations are the custom operations in the order they are written, then
	// those that models and conversations bring. An entry is as it is written.
	Operations []backend.Operation

	// HandlerAt is the position of each function of each pipeline, parallel to
	// Operations and Pipeline: entries are relative to that file.
	HandlerAt [][]string

	types         []definition // in the SDL's order, models included
	operations    []operation
	models        []*model
	conversations []string
}

// Build reads the JSON of record(). Its errors are of type *Error.
func Build(record []byte) (*Built, error) {
	var rec recording
	if err := json.Unmarshal(record, &rec); err != nil {
		return nil, &Error{Message: "read the recorded schema: " + err.Error()}
	}
	built := &Built{}
	var printed []string
	known := declared(rec.Schemas)
	for _, s := range rec.Schemas {
		sdl, err := built.add(s, known)
		if err != nil {
			return nil, err
		}
		printed = append(printed, sdl)
	}
	built.SDL = strings.Join(printed, "\n")
	built.list()
	return built, nil
}

// declared is every named type of all schemas: a combined schema may refer to the others' types.
func declared(schemas []schemaNode) map[string]*node {
	known := map[string]*node{}
	for _, s := range schemas {
		for i := range s.Types {
			known[s.Types[i].Name] = &s.Types[i].Node
		}
	}
	return known
}

// add builds one schema into b and gives its SDL.
func (b *Built) add(s schemaNode, known map[string]*node) (string, error) {
	p := &processor{known: known, rules: schemaRules(s.Rules), inherited: map[string][]rule{}}
	if err := p.run(s.Types); err != nil {
		return "", err
	}
	b.types = append(b.types, p.types...)
	b.operations = append(b.operations, p.operations...)
	b.models = append(b.models, p.models...)
	b.conversations = append(b.conversations, p.conversations...)

	var blocks []string
	for _, d := range p.types {
		blocks = append(blocks, d.builderSDL())
	}
	for _, root := range roots(p.operations) {
		blocks = append(blocks, root.builderSDL())
	}
	if len(p.conversations) > 0 {
		blocks = append(blocks, strings.TrimSpace(conversationTypes))
	}
	return strings.Join(blocks, "\n\n"), nil
}

// list fills Operations and HandlerAt.
func (b *Built) list() {
	add := func(op backend.Operation, at []string) {
		b.Operations = append(b.Operations, op)
		b.HandlerAt = append(b.HandlerAt, at)
	}
	for _, op := range b.operations {
		add(op.exported())
	}
	for _, m := range b.models {
		for _, root := range m.roots(0) {
			for _, f := range root.fields {
				add(backend.Operation{Type: root.name, Field: f.name, Unsupported: "a.model", At: m.at}, nil)
			}
		}
	}
	for _, c := range b.conversations {
		for _, root := range conversationRoots(c) {
			for _, f := range root.fields {
				add(backend.Operation{Type: root.name, Field: f.name, Unsupported: "a.conversation"}, nil)
			}
		}
	}
}
