package userpool

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairway/internal/store"
)

func TestConfirmSignUp(t *testing.T) {
	for name, test := range map[string]func(d *desk, code string){
		"wrong five times": func(d *desk, code string) {
			for range maxTries {
				wantMismatch(d, "a wrong code", d.confirm(ana, wrong(code)))
			}
			wantLimit(d, "a sixth", d.confirm(ana, wrong(code)))
			wantLimit(d, "the right code after five wrong ones", d.confirm(ana, code))
			_, err := d.resend(ana)
			wantNil(d, "ResendConfirmationCode", err)
			wantNil(d, "the next code", d.confirm(ana, d.code()))
		},
		"at the last try": func(d *desk, code string) {
			for range maxTries - 1 {
				wantMismatch(d, "a wrong code", d.confirm(ana, wrong(code)))
			}
			wantNil(d, "the right code", d.confirm(ana, code))
		},
		"at the last moment": func(d *desk, code string) {
			d.at.advance(24*time.Hour - time.Second)
			wantNil(d, "the code", d.confirm(ana, code))
		},
		"too late": func(d *desk, code string) {
			d.at.advance(24 * time.Hour)
			wantExpired(d, "the code", d.confirm(ana, code))
		},
		"replaced": func(d *desk, code string) {
			details, err := d.resend(ana)
			wantNil(d, "ResendConfirmationCode", err)
			if details != emailDetails {
				d.Errorf("ResendConfirmationCode = %+v, want %+v", details, emailDetails)
			}
			next := d.code()
			if next != code {
				wantMismatch(d, "the first code", d.confirm(ana, code))
			}
			wantNil(d, "the second", d.confirm(ana, next))
		},
		"elsewhere": func(d *desk, code string) {
			d.pool = d.server(seedSettings)
			wantNil(d, "the code on another server", d.confirm("ANA@example.com", code))
		},
		"not digits": func(d *desk, code string) {
			wantMismatch(d, "a code with a space", d.confirm(ana, code+" "))
			wantError(d, "no code", d.confirm(ana, ""), InvalidParameter,
				"1 validation error detected: Value at 'confirmationCode' failed to satisfy constraint: Member must have length greater than or equal to 1")
			wantError(d, "a long code", d.confirm(ana, string(make([]byte, 2049))), InvalidParameter,
				"1 validation error detected: Value at 'confirmationCode' failed to satisfy constraint: Member must have length less than or equal to 2048")
		},
		"another purpose": func(d *desk, code string) {
			wantExpired(d, "the code for a password", d.reset(ana, code, anaPassword))
		},
		"another client": func(d *desk, code string) {
			_, err := d.pool.ConfirmSignUp(d.Context(), ConfirmSignUpInput{"other", ana, code})
			wantError(d, "it", err, ResourceNotFound, "User pool client other does not exist.")
		},
	} {
		t.Run(name, func(t *testing.T) {
			atDesk(t, seedSettings, func(d *desk) { test(d, d.signedUp()) })
		})
	}
}

// TestResendLimit: who signed up has had one code more than who asks has asked for, and
// nobody is told.
func TestResendLimit(t *testing.T) {
	atDesk(t, seedSettings, func(d *desk) {
		d.signedUp()
		for range maxSent - 1 {
			_, err := d.resend(ana)
			wantNil(t, "ResendConfirmationCode", err)
		}
		d.box.take()
		_, err := d.resend(ana)
		wantNil(t, "ResendConfirmationCode for who had enough", err)
		d.nothingSent("it")
		_, err = d.resend(ana)
		wantLimit(t, "one more", err)
		d.at.advance(sentWithin)
		_, err = d.resend(ana)
		wantNil(t, "ResendConfirmationCode an hour later", err)
	})
}

// TestOneOfMany shows a right code many times at once.
func TestOneOfMany(t *testing.T) {
	d := newDesk(t, seedSettings)
	text := d.signedUp()
	u := find(t, d.pool)
	var right atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if d.pool.useCode(t.Context(), u, toConfirm, text, func(*user, code) {}) == nil {
				right.Add(1)
			}
		})
	}
	all.Wait()
	if got := right.Load(); got != 1 {
		t.Errorf("the code was right %d times, want once", got)
	}
}

// TestCodes checks against a model that a code works once, and only for its user and
// its purpose, before it expires and for five tries, and that an hour has five of each purpose.
func TestCodes(t *testing.T) {
	d := newDesk(t, seedSettings)
	purposes := []purpose{toConfirm, toReset, toVerify("email")}
	type key struct {
		user int
		what purpose
	}
	type issued struct {
		text    string
		tries   int
		expires time.Time
	}
	rapid.Check(t, func(t *rapid.T) {
		users := []*user{{User: store.User{Pool: "p", Sub: "1"}}, {User: store.User{Pool: "p", Sub: "2"}}}
		codes, sent, texts := map[key]issued{}, map[key][]time.Time{}, []string{"999999"}
		pick := func(t *rapid.T) key {
			return key{rapid.IntRange(0, 1).Draw(t, "user"), rapid.SampledFrom(purposes).Draw(t, "purpose")}
		}
		t.Repeat(map[string]func(*rapid.T){
			"send": func(t *rapid.T) {
				k, now := pick(t), d.at.now()
				text, err := d.pool.newCode(users[k.user], k.what, ana)
				of := slices.DeleteFunc(sent[k], func(at time.Time) bool { return now.Sub(at) >= time.Hour })
				if allowed := len(of) < 5; (err == nil) != allowed {
					t.Fatalf("newCode after %d = %v", len(of), err)
				}
				if sent[k] = of; err == nil {
					sent[k] = append(of, now)
					codes[k] = issued{text: text, expires: now.Add(k.what.life())}
					texts = append(texts, text)
				}
			},
			"try": func(t *rapid.T) {
				k, text := pick(t), rapid.SampledFrom(texts).Draw(t, "text")
				got, err := d.pool.tryCode(users[k.user], k.what, text)
				c, ok := codes[k]
				var want error
				switch {
				case !ok || !d.at.now().Before(c.expires):
					want = errExpired
				case c.tries >= 5:
					want = errLimit
				case c.text != text:
					want = errMismatch
					c.tries++
					codes[k] = c
				default:
					delete(codes, k)
				}
				if err != want || (got.To == ana) != (want == nil) {
					t.Fatalf("tryCode = %+v, %v, want %v", got, err, want)
				}
			},
			"wait": func(t *rapid.T) { d.at.advance(10 * time.Minute) },
		})
	})
}

// TestHashIsBound wants what is kept of a code to be good for nothing else, wherever in
// the store somebody might move it.
func TestHashIsBound(t *testing.T) {
	d := newDesk(t, seedSettings)
	hash := func(pool, sub string, what purpose, to, text string) string {
		return d.pool.hashCode(&user{User: store.User{Pool: pool, Sub: sub}}, what, to, text)
	}
	own := hash("p", "1", toReset, ana, "123456")
	if again := hash("p", "1", toReset, ana, "123456"); again != own {
		t.Error("a code has two hashes")
	}
	for name, other := range map[string]string{
		"user":    hash("p", "2", toReset, ana, "123456"),
		"purpose": hash("p", "1", toConfirm, ana, "123456"),
		"address": hash("p", "1", toReset, "eve@example.com", "123456"),
		"code":    hash("p", "1", toReset, ana, "123457"),
	} {
		if other == own {
			t.Errorf("a code's hash is good for another %s", name)
		}
	}
	if a, b := hash("", "", toReset, ana, "123456"), hash("", "", toReset, ana, "123456"); a == b {
		t.Error("a stranger's code could be right")
	}
}
