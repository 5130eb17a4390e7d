package admin

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"fairway/internal/auth"
	"fairway/internal/inference"
	"fairway/internal/store"
)

// kind is what a key is for.
type kind string

// The kinds.
const (
	bearer kind = "bearer" // Bedrock's doors: Authorization: Bearer
	access kind = "access" // signatures
	api    kind = "api"    // the GraphQL API: x-api-key
)

// key is a key without what it is made of, which only the answer that makes it has.
type key struct {
	Kind      kind       `json:"kind"`
	Name      string     `json:"name"`
	ID        string     `json:"id,omitempty"` // of an access key
	Principal string     `json:"principal"`
	Budget    string     `json:"budget,omitempty"`
	Created   time.Time  `json:"created"`
	Expires   *time.Time `json:"expires"` // null is never
	Disabled  bool       `json:"disabled"`

	Key    string `json:"key,omitempty"`
	Secret string `json:"secret,omitempty"` // of an access key
}

func expiry(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func hashed(k kind, b store.BearerKey) key {
	return key{Kind: k, Name: b.Name, Principal: b.Principal, Budget: b.Budget, Created: b.Created, Expires: expiry(b.Expires), Disabled: b.Disabled}
}

// keys are all keys of the store, by kind and age.
func (d *Door) keys(ctx context.Context) ([]key, error) {
	all := []key{}
	bearers, err := d.Store.BearerKeys(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range bearers {
		all = append(all, hashed(bearer, k))
	}
	pairs, err := d.Store.AccessKeys(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range pairs {
		name := k.Name
		if name == "" {
			name = k.ID
		}
		all = append(all, key{Kind: access, Name: name, ID: k.ID, Principal: k.Principal, Budget: k.Budget, Created: k.Created, Expires: expiry(k.Expires), Disabled: k.Disabled})
	}
	apis, err := d.Store.APIKeys(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range apis {
		all = append(all, hashed(api, store.BearerKey(k)))
	}
	return all, nil
}

func (d *Door) listKeys(r *http.Request) (any, error) {
	all, err := d.keys(r.Context())
	return map[string][]key{"keys": all}, err
}

// named is the key that the path names.
func (d *Door) named(r *http.Request) (key, error) {
	all, err := d.keys(r.Context())
	if err != nil {
		return key{}, err
	}
	for _, k := range all {
		if k.Name == r.PathValue("name") {
			return k, nil
		}
	}
	return key{}, missing(fmt.Sprintf("keys: no key is called %q: fairway keys list shows those there are", r.PathValue("name")))
}

// keyName is what a key may be called.
var keyName = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)

// maxLife bounds the life of a key, in seconds; who wants more says never.
const maxLife = 100 * 365 * 24 * 3600

// createKey answers POST /api/keys. ExpiresIn is in seconds, 0 is never.
func (d *Door) createKey(r *http.Request) (any, error) {
	var in struct {
		Kind      kind   `json:"kind"`
		Name      string `json:"name"`
		Principal string `json:"principal"`
		Budget    string `json:"budget"`
		ExpiresIn int64  `json:"expires_in"`
	}
	if err := read(r, &in); err != nil {
		return nil, err
	}
	switch {
	case !keyName.MatchString(in.Name):
		return nil, bad("create key: want a name of up to 64 letters, digits and any of _+=,.@-")
	case in.Budget != "" && !keyName.MatchString(in.Budget):
		return nil, bad("create key: want the name of a budget of up to 64 letters, digits and any of _+=,.@-")
	case in.ExpiresIn < 0 || in.ExpiresIn > maxLife:
		return nil, bad("create key: want a life of at most a hundred years, or never")
	case in.Principal == "" && in.Kind != api:
		return nil, bad("create key: name the principal that it speaks for")
	case in.Principal != "" && !d.Principal(in.Principal):
		return nil, bad(fmt.Sprintf("create key: there is no principal %q: the configuration lists them", in.Principal))
	}
	all, err := d.keys(r.Context())
	if err != nil {
		return nil, err
	}
	for _, k := range all {
		if k.Name == in.Name {
			return nil, &problem{http.StatusConflict, fmt.Sprintf("create key: there is a key called %q, of kind %s: choose another name, or rotate it", k.Name, k.Kind)}
		}
	}
	made := key{Kind: in.Kind, Name: in.Name, Principal: in.Principal, Budget: in.Budget, Created: d.Now(), Expires: d.until(in.ExpiresIn)}
	if err := d.add(r.Context(), &made); err != nil {
		return nil, err
	}
	d.Changed(r.Context())
	return made, nil
}

func (d *Door) until(seconds int64) *time.Time {
	if seconds == 0 {
		return nil
	}
	t := d.Now().Add(time.Duration(seconds) * time.Second)
	return &t
}

// add makes the key and keeps it.
func (d *Door) add(ctx context.Context, k *key) error {
	kept := store.BearerKey{Name: k.Name, Principal: k.Principal, Budget: k.Budget, Created: k.Created}
	if k.Expires != nil {
		kept.Expires = *k.Expires
	}
	switch k.Kind {
	case bearer:
		k.Key = auth.NewBearerKey()
		kept.Hash = store.BearerHash(k.Key)
		return d.Store.AddBearerKey(ctx, kept)
	case api:
		k.Key = auth.NewAPIKey()
		kept.Hash = store.BearerHash(k.Key)
		return d.Store.AddAPIKey(ctx, store.APIKey(kept))
	case access:
		pair := auth.NewAccessKey(inference.Principal{Name: k.Principal})
		k.ID, k.Secret = pair.ID, pair.Secret
		return d.Store.AddAccessKey(ctx, store.AccessKey{
			ID: pair.ID, Name: k.Name, Secret: pair.Secret, Principal: k.Principal, Budget: k.Budget, Created: k.Created, Expires: kept.Expires,
		})
	}
	return bad("create key: want the kind bearer, access or api")
}

// rotateKey answers POST /api/keys/{name}/rotate: a new key in the place of one that
// goes on being good for Overlap seconds.
func (d *Door) rotateKey(r *http.Request) (any, error) {
	var in struct {
		ExpiresIn int64 `json:"expires_in"`
		Overlap   int64 `json:"overlap"`
	}
	if err := read(r, &in); err != nil {
		return nil, err
	}
	if in.ExpiresIn < 0 || in.ExpiresIn > maxLife || in.Overlap < 0 || in.Overlap > maxLife {
		return nil, bad("rotate key: want lives of at most a hundred years")
	}
	k, err := d.named(r)
	if err != nil {
		return nil, err
	}
	var expires time.Time
	if k.Expires = d.until(in.ExpiresIn); k.Expires != nil {
		expires = *k.Expires
	}
	old := d.Now().Add(time.Duration(in.Overlap) * time.Second)
	switch k.Kind {
	case bearer:
		k.Key = auth.NewBearerKey()
		_, err = d.Store.ReplaceBearerKey(r.Context(), k.Name, store.BearerHash(k.Key), expires, old)
	case api:
		k.Key = auth.NewAPIKey()
		_, err = d.Store.ReplaceAPIKey(r.Context(), k.Name, store.BearerHash(k.Key), expires, old)
	default:
		return nil, bad("rotate key: the id of an access key is part of it: create a second one, then expire this")
	}
	if err != nil {
		return nil, err
	}
	d.Changed(r.Context())
	return k, nil
}

func (d *Door) expireKey(r *http.Request) (any, error) {
	return d.end(r, func(ctx context.Context, k key) (err error) {
		switch k.Kind {
		case bearer:
			_, err = d.Store.ExpireBearerKey(ctx, k.Name, d.Now())
		case api:
			_, err = d.Store.ExpireAPIKey(ctx, k.Name, d.Now())
		default:
			_, err = d.Store.ExpireAccessKey(ctx, k.ID, d.Now())
		}
		return err
	})
}

func (d *Door) deleteKey(r *http.Request) (any, error) {
	return d.end(r, func(ctx context.Context, k key) (err error) {
		switch k.Kind {
		case bearer:
			_, err = d.Store.DeleteBearerKey(ctx, k.Name)
		case api:
			_, err = d.Store.DeleteAPIKey(ctx, k.Name)
		default:
			_, err = d.Store.DeleteAccessKey(ctx, k.ID)
		}
		return err
	})
}

// end does something to the key that the path names, from which on it may not be good
// any more.
func (d *Door) end(r *http.Request, do func(context.Context, key) error) (any, error) {
	k, err := d.named(r)
	if err != nil {
		return nil, err
	}
	if err := do(r.Context(), k); err != nil {
		return nil, err
	}
	d.Changed(r.Context())
	return struct{}{}, nil
}
