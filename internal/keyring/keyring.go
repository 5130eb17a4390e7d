// Package keyring owns what a key of a principal is: its kinds, its name, how long it
// is good. Keys are rows of the store, made as package auth makes them.
//
//	keyring.go  what a key is, and those there are
//	change.go   how they come, are replaced and go
package keyring

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"fairway/internal/inference"
	"fairway/internal/store"
)

// Kind is what a key is for.
type Kind string

// The kinds.
const (
	Bearer Kind = "bearer" // Bedrock's doors: Authorization: Bearer
	Access Kind = "access" // signatures
	API    Kind = "api"    // the GraphQL API: x-api-key
)

// Kinds are all kinds.
func Kinds() []Kind { return []Kind{Bearer, Access, API} }

// Key is a key without what it is made of, which only Create and Rotate give. Its JSON
// is that of the admin API.
type Key struct {
	Kind        Kind       `json:"kind"`
	Name        string     `json:"name"` // that of one key, of whatever kind
	ID          string     `json:"id,omitempty"`
	Principal   string     `json:"principal"`
	Budget      string     `json:"budget,omitempty"`
	Created     time.Time  `json:"created"`
	Expires     *time.Time `json:"expires"` // null is never
	Disabled    bool       `json:"disabled"`
	BeforeUntil *time.Time `json:"before_until,omitempty"` // until when the key that it replaced is good, or was

	Key    string `json:"key,omitempty"`
	Secret string `json:"secret,omitempty"` // of an access key, which has an ID and no Key
}

// Ring is the keys in a store. Its methods may be called concurrently. Their errors
// are *inference.Error: Validation, ResourceNotFound and Conflict are the operator's
// to mend, others the store's.
type Ring struct {
	Store     *store.Store
	Principal func(name string) bool // reports whether a key may speak for who is called so
	Budgets   func() []string        // names of those that a key's calls may count against
	Changed   func(context.Context)  // is told that keys have changed
	Now       func() time.Time
}

// List is all keys, by kind and age.
func (r *Ring) List(ctx context.Context) ([]Key, error) {
	all := []Key{}
	bearers, err := r.Store.BearerKeys(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range bearers {
		all = append(all, hashed(Bearer, k))
	}
	pairs, err := r.Store.AccessKeys(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range pairs {
		all = append(all, Key{
			Kind: Access, Name: cmp.Or(k.Name, k.ID), ID: k.ID, Principal: k.Principal, Budget: k.Budget,
			Created: k.Created, Expires: moment(k.Expires), Disabled: k.Disabled,
		})
	}
	apis, err := r.Store.APIKeys(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range apis {
		all = append(all, hashed(API, store.BearerKey(k)))
	}
	return all, nil
}

func hashed(kind Kind, k store.BearerKey) Key {
	return Key{
		Kind: kind, Name: k.Name, Principal: k.Principal, Budget: k.Budget,
		Created: k.Created, Expires: moment(k.Expires), Disabled: k.Disabled, BeforeUntil: moment(k.BeforeUntil),
	}
}

// moment is nil for the zero time.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// named is the key of a name.
func (r *Ring) named(ctx context.Context, op, name string) (Key, error) {
	all, err := r.List(ctx)
	if err != nil {
		return Key{}, err
	}
	for _, k := range all {
		if k.Name == name {
			return k, nil
		}
	}
	return Key{}, gone(op, name)
}

func gone(op, name string) error {
	return refuse(inference.ResourceNotFound, op, fmt.Sprintf("no key is called %q: fairway keys list shows those there are", name))
}

func refuse(kind inference.Kind, op, message string) error {
	return &inference.Error{Kind: kind, Op: op, Message: op + ": " + message}
}
