package userpool

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"fairway/internal/inference"
	"fairway/internal/srp"
	"fairway/internal/store"
)

// user is a user as the store keeps them, with Profile read. Methods of the pool
// give copies: a change is kept by Pool.change only.
type user struct {
	store.User
	account
}

// account is what a pool knows of a user beside the name: the JSON of
// store.User.Profile.
type account struct {
	Attributes map[string]string `json:"attributes,omitempty"` // by Cognito's names: "email", "email_verified"; never "sub"
	Status     status            `json:"status"`
	Disabled   bool              `json:"disabled,omitempty"`
	Tester     bool              `json:"tester,omitempty"` // of development, who needs no second factor

	// Salt and Verifier are the password's, in hexadecimal; see srp.NewVerifier.
	// A user who has no password yet has neither.
	Salt     string `json:"salt,omitempty"`
	Verifier string `json:"verifier,omitempty"`

	Codes map[purpose]code        `json:"codes,omitempty"`
	Sent  map[purpose][]time.Time `json:"sent_for,omitempty"` // when codes went out, of the last hour

	Failures    int       `json:"failures,omitempty"` // wrong passwords and codes since the last sign-in, or since it was quiet
	FailedAt    time.Time `json:"failed_at,omitzero"` // the last of them
	LockedUntil time.Time `json:"locked_until,omitzero"`

	TOTP         string   `json:"totp,omitempty"`          // the secret, as store.Protect gives it
	PendingTOTP  string   `json:"pending_totp,omitempty"`  // likewise, not yet verified
	TOTPStep     int64    `json:"totp_step,omitempty"`     // the time step of the last code that was used
	MFA          []string `json:"mfa,omitempty"`           // factors that are on: "SOFTWARE_TOKEN_MFA", "SMS_MFA"
	PreferredMFA string   `json:"preferred_mfa,omitempty"` // one of them, or none
}

// status is Cognito's UserStatus.
type status string

const (
	unconfirmed   status = "UNCONFIRMED"
	confirmed     status = "CONFIRMED"
	forceChange   status = "FORCE_CHANGE_PASSWORD"
	resetRequired status = "RESET_REQUIRED"
)

// purpose is what a code is for.
type purpose string

// code is a code that was sent: single use, and only its hash is kept.
type code struct {
	Hash    string    `json:"hash"`
	To      string    `json:"to,omitempty"` // the address or number that it went to
	Expires time.Time `json:"expires"`
	Tries   int       `json:"tries,omitempty"` // wrong ones since it was sent
}

// byName is the user whom name names, a user name or an alias.
func (p *Pool) byName(ctx context.Context, name string) (user, bool, error) {
	kept, ok, err := p.store.UserNamed(ctx, p.ID(), name)
	return read(kept, ok, err)
}

// bySub is the user with that sub.
func (p *Pool) bySub(ctx context.Context, sub string) (user, bool, error) {
	kept, ok, err := p.store.User(ctx, p.ID(), sub)
	return read(kept, ok, err)
}

func read(kept store.User, ok bool, err error) (user, bool, error) {
	if err != nil {
		return user{}, false, failed(err)
	}
	if !ok {
		return user{}, false, nil
	}
	u := user{User: kept}
	if err := json.Unmarshal(kept.Profile, &u.account); err != nil {
		return user{}, false, failed(err)
	}
	return u, true, nil
}

// insert keeps a new user. It is UsernameExists, in the words for what is taken, when
// the name or an alias is another's.
func (p *Pool) insert(ctx context.Context, u user) error {
	profile, err := json.Marshal(u.account)
	if err != nil {
		return failed(err)
	}
	u.Pool, u.Profile = p.ID(), profile
	err = p.store.AddUser(ctx, u.User)
	if !isConflict(err) {
		return failed(err)
	}
	for _, name := range p.settings.Load().SignInBy {
		alias := strings.ToLower(u.Attributes[name])
		if !slices.Contains(u.Aliases, alias) {
			continue
		}
		if _, taken, _ := p.byName(ctx, alias); taken {
			return &Error{Kind: UsernameExists, Message: "An account with the given " + name + " already exists.", Err: err}
		}
	}
	return &Error{Kind: UsernameExists, Message: "User already exists", Err: err}
}

// maxRivals is how often a change starts over because another came between.
const maxRivals = 20

// change reads the user, lets edit change them and keeps what it made of them;
// when another change came between, all of it again. An error of edit ends it and
// nothing is kept. It is UserNotFound when there is no such user, AliasExists when
// another user has one of the aliases.
func (p *Pool) change(ctx context.Context, sub string, edit func(*user) error) (user, error) {
	for range maxRivals {
		u, ok, err := p.bySub(ctx, sub)
		if err != nil {
			return user{}, err
		}
		if !ok {
			return user{}, refuse(UserNotFound, "User does not exist.")
		}
		if err := edit(&u); err != nil {
			return user{}, err
		}
		if u.Profile, err = json.Marshal(u.account); err != nil {
			return user{}, failed(err)
		}
		kept, err := p.store.UpdateUser(ctx, u.User)
		if isConflict(err) {
			return user{}, &Error{Kind: AliasExists, Message: "An account with the given email or phone number already exists.", Err: err}
		}
		if err != nil {
			return user{}, failed(err)
		}
		if kept {
			u.Version++
			return u, nil
		}
	}
	return user{}, refuse(TooManyRequests, "Too many requests")
}

// setPassword gives u a password, kept as its verifier alone. What was guessed of the
// one before is forgotten, and a code to replace that is good no more.
func (p *Pool) setPassword(u *user, password string) {
	v := srp.NewVerifier(p.name(), u.Username, password)
	u.Salt, u.Verifier = v.Salt, v.Value
	delete(u.Codes, toReset)
	u.forgiven()
	p.strikes.forget(u.Sub)
}

// hasPassword reports whether password is u's.
func (p *Pool) hasPassword(u user, password string) bool {
	return srp.Verifier{Salt: u.Salt, Value: u.Verifier}.Is(p.name(), u.Username, password)
}

// failed is an error of the store, or of our own, as Cognito answers it: nothing of
// it reaches the client. nil stays nil, an *Error what it is.
func failed(err error) error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	return &Error{Kind: InternalError, Message: "Something went wrong", Err: err}
}

func isConflict(err error) bool {
	e, ok := errors.AsType[*inference.Error](err)
	return ok && e.Kind == inference.Conflict
}
