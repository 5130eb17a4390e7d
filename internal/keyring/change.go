package keyring

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"fairway/internal/auth"
	"fairway/internal/inference"
	"fairway/internal/store"
)

// How long keys are good where nobody says otherwise, and at most; who wants more says
// never.
const (
	defaultLife    = 30 * 24 * time.Hour
	defaultOverlap = 24 * time.Hour
	maxLife        = 100 * 365 * 24 * time.Hour
)

// form is how keys may be called.
var form = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)

// Order is a key that is to be made.
type Order struct {
	Kind      Kind
	Name      string
	Principal string         // only a key of kind API may do without
	Budget    string         // empty for none
	Life      *time.Duration // nil is 30 days, 0 is never over
}

// Create makes a key.
func (r *Ring) Create(ctx context.Context, o Order) (Key, error) {
	const op = "create key"
	if err := r.check(op, o); err != nil {
		return Key{}, err
	}
	now := r.Now()
	k := Key{Kind: o.Kind, Name: o.Name, Principal: o.Principal, Budget: o.Budget, Created: now, Expires: end(now, o.Life, defaultLife)}
	err := r.add(ctx, &k)
	switch {
	case err == nil:
		r.Changed(ctx)
		return k, nil
	case inference.AsError(err).Kind == inference.Conflict:
		return Key{}, refuse(inference.Conflict, op, fmt.Sprintf("there is a key called %q: choose another name, or rotate it", o.Name))
	case errors.Is(err, store.ErrNoMaster):
		return Key{}, refuse(inference.Validation, op, store.ErrNoMaster.Error())
	}
	return Key{}, err
}

func (r *Ring) check(op string, o Order) error {
	problem := ""
	switch {
	case o.Kind != Bearer && o.Kind != Access && o.Kind != API:
		problem = "want the kind bearer, access or api"
	case !form.MatchString(o.Name):
		problem = "want a name of up to 64 letters, digits and any of _+=,.@-"
	case o.Budget != "" && !slices.Contains(r.Budgets(), o.Budget):
		problem = fmt.Sprintf("no budget is called %.64q: the configuration has %s", o.Budget, cmp.Or(strings.Join(r.Budgets(), ", "), "none"))
	case tooLong(o.Life):
		problem = "want a life of at most a hundred years, or never"
	case o.Principal == "" && o.Kind != API:
		problem = "name the principal that it speaks for"
	case o.Principal != "" && !r.Principal(o.Principal):
		problem = fmt.Sprintf("there is no principal %q: the configuration lists them", o.Principal)
	default:
		return nil
	}
	return refuse(inference.Validation, op, problem)
}

func tooLong(life *time.Duration) bool { return life != nil && (*life < 0 || *life > maxLife) }

// end is when what begins now is over, nil for never.
func end(now time.Time, life *time.Duration, otherwise time.Duration) *time.Time {
	if life != nil {
		otherwise = *life
	}
	if otherwise == 0 {
		return nil
	}
	return moment(now.Add(otherwise))
}

// add makes what k is made of and keeps it.
func (r *Ring) add(ctx context.Context, k *Key) error {
	switch k.Kind {
	case Bearer:
		k.Key = auth.NewBearerKey()
		return r.Store.AddBearerKey(ctx, k.row())
	case API:
		k.Key = auth.NewAPIKey()
		return r.Store.AddAPIKey(ctx, store.APIKey(k.row()))
	default:
		pair := auth.NewAccessKey(inference.Principal{Name: k.Principal})
		k.ID, k.Secret = pair.ID, pair.Secret
		row := k.row()
		return r.Store.AddAccessKey(ctx, store.AccessKey{
			ID: k.ID, Name: k.Name, Secret: k.Secret, Principal: k.Principal, Budget: k.Budget, Created: row.Created, Expires: row.Expires,
		})
	}
}

// row is what is kept of a new key.
func (k *Key) row() store.BearerKey {
	b := store.BearerKey{Hash: store.KeyHash(k.Key), Name: k.Name, Principal: k.Principal, Budget: k.Budget, Created: k.Created}
	if k.Expires != nil {
		b.Expires = *k.Expires
	}
	return b
}

// Rotate makes a new key in the place of the one of that name, which goes on being good
// for overlap, a day where that is nil, and no longer than it would have been. The new
// one is good for life: where that is nil for as long as the old one was made for.
func (r *Ring) Rotate(ctx context.Context, name string, life, overlap *time.Duration) (Key, error) {
	const op = "rotate key"
	if tooLong(life) || tooLong(overlap) {
		return Key{}, refuse(inference.Validation, op, "want lives of at most a hundred years")
	}
	var made Key
	err := r.change(ctx, op, name, func(k Key) (_ bool, err error) {
		if made, err = k.renewed(op, r.Now(), life, overlap); err != nil {
			return false, err
		}
		if k.Kind == Bearer {
			made.Key = auth.NewBearerKey()
			return r.Store.ReplaceBearerKey(ctx, made.row(), *made.BeforeUntil)
		}
		made.Key = auth.NewAPIKey()
		return r.Store.ReplaceAPIKey(ctx, store.APIKey(made.row()), *made.BeforeUntil)
	})
	if err != nil {
		return Key{}, err
	}
	return made, nil
}

// renewed is the key in the place of k.
func (k Key) renewed(op string, now time.Time, life, overlap *time.Duration) (Key, error) {
	switch {
	case k.Kind == Access:
		return Key{}, refuse(inference.Validation, op, "the id of an access key is part of it: create a second one, then expire this")
	case life == nil && k.Expires == nil:
		life = new(time.Duration)
	case life == nil && !now.Before(*k.Expires):
		return Key{}, refuse(inference.Validation, op, fmt.Sprintf("%q is over: say how long the new one is to be good", k.Name))
	case life == nil:
		life = new(k.Expires.Sub(k.Created))
	}
	until := moment(now)
	if overlap == nil || *overlap > 0 {
		until = end(now, overlap, defaultOverlap)
	}
	if k.Expires != nil && k.Expires.Before(*until) {
		until = k.Expires
	}
	k.Created, k.Expires, k.BeforeUntil = now, end(now, life, defaultLife), until
	return k, nil
}

// Expire lets a key be over now, and with it the one that it replaced.
func (r *Ring) Expire(ctx context.Context, name string) error {
	return r.change(ctx, "expire key", name, func(k Key) (bool, error) {
		switch k.Kind {
		case Bearer:
			return r.Store.ExpireBearerKey(ctx, k.Name, r.Now())
		case API:
			return r.Store.ExpireAPIKey(ctx, k.Name, r.Now())
		default:
			return r.Store.ExpireAccessKey(ctx, k.ID, r.Now())
		}
	})
}

// Delete forgets a key. Its name is free then.
func (r *Ring) Delete(ctx context.Context, name string) error {
	return r.change(ctx, "delete key", name, func(k Key) (bool, error) {
		switch k.Kind {
		case Bearer:
			return r.Store.DeleteBearerKey(ctx, k.Name)
		case API:
			return r.Store.DeleteAPIKey(ctx, k.Name)
		default:
			return r.Store.DeleteAccessKey(ctx, k.ID)
		}
	})
}

// change does something to the key of a name and tells of it. Do reports false where
// the key is gone.
func (r *Ring) change(ctx context.Context, op, name string, do func(Key) (bool, error)) error {
	k, err := r.named(ctx, op, name)
	if err != nil {
		return err
	}
	found, err := do(k)
	switch {
	case err != nil:
		return err
	case !found:
		return gone(op, name)
	}
	r.Changed(ctx)
	return nil
}
