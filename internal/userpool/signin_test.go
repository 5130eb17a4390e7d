package userpool

import (
	"cmp"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"fairway/internal/srp"
)

// attempt is a sign-in by SRP whose challenge is there to be answered.
type attempt struct {
	client    *srp.Client
	challenge InitiateAuthOutput
}

func begins(t testing.TB, p *Pool, name string) attempt {
	t.Helper()
	c := srp.NewClient()
	out, err := p.InitiateAuth(t.Context(), InitiateAuthInput{
		AuthFlow: "USER_SRP_AUTH", ClientID: p.ClientID(),
		AuthParameters: map[string]string{"USERNAME": name, "SRP_A": c.A()},
	})
	if err != nil {
		t.Fatalf("InitiateAuth(%s) = %v", name, err)
	}
	return attempt{c, out}
}

// responses are what a client of good will answers.
func (a attempt) responses(t testing.TB, p *Pool, password string) map[string]string {
	t.Helper()
	parameters := a.challenge.ChallengeParameters
	block, err := base64.StdEncoding.DecodeString(parameters["SECRET_BLOCK"])
	if err != nil {
		t.Fatal(err)
	}
	timestamp := p.now().Format(timestampForm)
	signature, err := a.client.Answer(password, parameters["SALT"], parameters["SRP_B"], srp.Claim{
		Pool: p.name(), User: parameters["USER_ID_FOR_SRP"], Block: block, Timestamp: timestamp,
	})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"USERNAME":                    parameters["USER_ID_FOR_SRP"],
		"PASSWORD_CLAIM_SECRET_BLOCK": parameters["SECRET_BLOCK"],
		"PASSWORD_CLAIM_SIGNATURE":    signature,
		"TIMESTAMP":                   timestamp,
	}
}

func respond(t testing.TB, p *Pool, challenge, session string, responses map[string]string) (InitiateAuthOutput, error) {
	t.Helper()
	out, err := p.RespondToAuthChallenge(t.Context(), RespondToAuthChallengeInput{
		ChallengeName: challenge, ChallengeResponses: responses, ClientID: p.ClientID(), Session: session,
	})
	settle(p)
	return out, err
}

// srpSignIn goes through the whole flow.
func srpSignIn(t testing.TB, p *Pool, name, password string) (InitiateAuthOutput, error) {
	t.Helper()
	return respond(t, p, passwordVerifier, "", begins(t, p, name).responses(t, p, password))
}

func mustSignIn(t testing.TB, p *Pool) AuthenticationResult {
	t.Helper()
	out, err := srpSignIn(t, p, ana, anaPassword)
	if err != nil || out.AuthenticationResult == nil {
		t.Fatalf("sign-in = %+v, %v", out, err)
	}
	return *out.AuthenticationResult
}

func TestSignInBySRP(t *testing.T) {
	w := newPlace(t)
	p := w.server(t, byEmail)
	u := addAna(t, p, nil)
	for _, name := range []string{ana, strings.ToUpper(ana), u.Sub} {
		out, err := srpSignIn(t, p, name, anaPassword)
		if err != nil || out.AuthenticationResult == nil || out.ChallengeName != "" || out.Session != "" || out.ChallengeParameters == nil {
			t.Fatalf("sign-in of %s = %+v, %v", name, out, err)
		}
		r := out.AuthenticationResult
		if r.TokenType != "Bearer" || r.ExpiresIn != 3600 || r.RefreshToken == "" {
			t.Errorf("result = %+v", r)
		}
	}
	if got := begins(t, p, ana).challenge.ChallengeParameters["USER_ID_FOR_SRP"]; got != u.Sub {
		t.Errorf("USER_ID_FOR_SRP = %q, want the sub %q", got, u.Sub)
	}
}

func TestClaims(t *testing.T) {
	w := newPlace(t)
	settings := byEmail
	settings.Groups, settings.IDLife = []string{"Admins", "Cooks"}, 2*time.Hour
	p := w.server(t, settings)
	u := addAna(t, p, func(u *user) {
		u.Groups = []string{"Others", "Cooks", "Admins"}
		maps.Copy(u.Attributes, map[string]string{"phone_number": "+15550100", "phone_number_verified": "false", "custom:team": "a", "custom:is_verified": "yes", "iss": "forged", "sub": "forged"})
	})
	r := mustSignIn(t, p)
	access, id := claimsOf(t, p, r.AccessToken), claimsOf(t, p, r.IdToken)
	if got, want := slices.Sorted(maps.Keys(access)), []string{"auth_time", "client_id", "cognito:groups", "event_id", "exp", "iat", "iss", "jti", "origin_jti", "scope", "sub", "token_use", "username"}; !slices.Equal(got, want) {
		t.Errorf("access claims = %q, want %q", got, want)
	}
	if got, want := slices.Sorted(maps.Keys(id)), []string{"aud", "auth_time", "cognito:groups", "cognito:username", "custom:is_verified", "custom:team", "email", "email_verified", "event_id", "exp", "iat", "iss", "jti", "origin_jti", "phone_number", "phone_number_verified", "sub", "token_use"}; !slices.Equal(got, want) {
		t.Errorf("id claims = %q, want %q", got, want)
	}
	now := float64(w.now().Unix())
	for _, check := range []struct {
		name      string
		got, want any
	}{
		{"username", access["username"], u.Sub},
		{"cognito:username", id["cognito:username"], u.Sub},
		{"sub", access["sub"], u.Sub},
		{"sub of id", id["sub"], u.Sub},
		{"email", id["email"], ana},
		{"email_verified", id["email_verified"], true},
		{"phone_number_verified", id["phone_number_verified"], false},
		{"custom:is_verified", id["custom:is_verified"], "yes"},
		{"token_use", access["token_use"], "access"},
		{"token_use of id", id["token_use"], "id"},
		{"client_id", access["client_id"], p.ClientID()},
		{"aud", id["aud"], p.ClientID()},
		{"scope", access["scope"], "aws.cognito.signin.user.admin"},
		{"iss", access["iss"], p.Issuer()},
		{"iss of id", id["iss"], p.Issuer()},
		{"iat", access["iat"], now},
		{"auth_time", access["auth_time"], now},
		{"exp", access["exp"], now + 3600},
		{"exp of id", id["exp"], now + 7200},
		{"one origin_jti", access["origin_jti"] == id["origin_jti"], true},
		{"one jti", access["jti"] == id["jti"], false},
	} {
		if check.got != check.want {
			t.Errorf("%s = %v, want %v", check.name, check.got, check.want)
		}
	}
	for name, claims := range map[string]map[string]any{"access": access, "id": id} {
		var groups []string
		for _, g := range claims["cognito:groups"].([]any) {
			groups = append(groups, g.(string))
		}
		if want := []string{"Admins", "Cooks", "Others"}; !slices.Equal(groups, want) {
			t.Errorf("cognito:groups of %s = %q, want %q", name, groups, want)
		}
	}
}

// TestTokensAreBounded has a user with all that a pool lets them have, in characters
// that take the most place: their tokens are taken all the same.
func TestTokensAreBounded(t *testing.T) {
	d := newDesk(t, Settings{Attributes: []AttributeSchema{{Name: "custom:a"}, {Name: "custom:b"}}})
	name, value := strings.Repeat("<", maxName), strings.Repeat("<", 500)
	_, err := d.pool.Add(t.Context(), NewPerson{Username: name, Password: anaPassword, Confirmed: true, Attributes: map[string]string{"custom:a": value, "custom:b": value}})
	wantNil(t, "Add", err)
	groups := 0
	for err == nil {
		err = d.pool.AddToGroup(t.Context(), name, strings.Repeat("g", maxName-2)+newID(2, lower))
		groups++
	}
	wantError(t, "AddToGroup", err, LimitExceeded, "A user cannot be in more groups.")
	tokens, err := d.pool.SignIn(t.Context(), name, anaPassword)
	wantNil(t, "SignIn", err)
	if groups < 10 || len(tokens.ID) < maxToken*3/4 || len(tokens.ID) > maxToken || len(tokens.Access) > maxToken {
		t.Errorf("with %d groups an id token has %d bytes, an access token %d, want up to %d", groups, len(tokens.ID), len(tokens.Access), maxToken)
	}
	value = strings.Repeat("<", maxAttributeValue)
	_, err = d.pool.Add(t.Context(), NewPerson{Username: "bob", Attributes: map[string]string{"custom:a": value}})
	wantError(t, "Add of more", err, InvalidParameter, "Attributes did not conform to the schema: The attributes are too many or too long together")
}

// TestSRPAttacks: whatever is changed on the way, nobody signs in.
func TestSRPAttacks(t *testing.T) {
	w := newPlace(t)
	settings := byEmail
	settings.Lockout.Failures = 1000
	p := w.server(t, settings)
	addAna(t, p, nil)
	bob := begins(t, p, "bob@example.com")
	flip := func(block string) string {
		raw, _ := base64.StdEncoding.DecodeString(block)
		raw[len(raw)/2] ^= 1
		return base64.StdEncoding.EncodeToString(raw)
	}
	const timestamps = "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english."
	for _, c := range []struct {
		name    string
		change  func(r map[string]string)
		kind    Kind
		message string
	}{
		{"changed secret block", func(r map[string]string) {
			r["PASSWORD_CLAIM_SECRET_BLOCK"] = flip(r["PASSWORD_CLAIM_SECRET_BLOCK"])
		}, NotAuthorized, "Invalid session for the user."},
		{"secret block of another's exchange", func(r map[string]string) {
			r["PASSWORD_CLAIM_SECRET_BLOCK"] = bob.challenge.ChallengeParameters["SECRET_BLOCK"]
		}, NotAuthorized, "Invalid session for the user."},
		{"secret block of another exchange of the same user", func(r map[string]string) {
			r["PASSWORD_CLAIM_SECRET_BLOCK"] = begins(t, p, ana).challenge.ChallengeParameters["SECRET_BLOCK"]
		}, NotAuthorized, "Incorrect username or password."},
		{"no secret block", func(r map[string]string) { delete(r, "PASSWORD_CLAIM_SECRET_BLOCK") }, NotAuthorized, "Invalid session for the user."},
		{"long secret block", func(r map[string]string) { r["PASSWORD_CLAIM_SECRET_BLOCK"] = strings.Repeat("A", 1<<20) }, NotAuthorized, "Invalid session for the user."},
		{"another user", func(r map[string]string) { r["USERNAME"] = "bob@example.com" }, NotAuthorized, "Invalid session for the user."},
		{"no user", func(r map[string]string) { delete(r, "USERNAME") }, InvalidParameter, "Missing required parameter USERNAME"},
		{"another time", func(r map[string]string) { r["TIMESTAMP"] = "Sun Nov 22 10:44:07 UTC 2026" }, NotAuthorized, "Incorrect username or password."},
		{"a padded day", func(r map[string]string) { r["TIMESTAMP"] = "2026-11-22T10:44:06Z" }, InvalidParameter, timestamps},
		{"another zone", func(r map[string]string) { r["TIMESTAMP"] = "Sun Nov 22 10:44:06 CET 2026" }, InvalidParameter, timestamps},
		{"no time", func(r map[string]string) { delete(r, "TIMESTAMP") }, InvalidParameter, "Missing required parameter TIMESTAMP"},
		{"no signature", func(r map[string]string) { delete(r, "PASSWORD_CLAIM_SIGNATURE") }, InvalidParameter, "Missing required parameter PASSWORD_CLAIM_SIGNATURE"},
		{"a signature of zeros", func(r map[string]string) {
			r["PASSWORD_CLAIM_SIGNATURE"] = base64.StdEncoding.EncodeToString(make([]byte, 32))
		}, NotAuthorized, "Incorrect username or password."},
		{"an empty signature", func(r map[string]string) { r["PASSWORD_CLAIM_SIGNATURE"] = "=" }, NotAuthorized, "Incorrect username or password."},
	} {
		t.Run(c.name, func(t *testing.T) {
			responses := begins(t, p, ana).responses(t, p, anaPassword)
			c.change(responses)
			out, err := respond(t, p, passwordVerifier, "", responses)
			wantError(t, "RespondToAuthChallenge()", err, c.kind, c.message)
			if out.AuthenticationResult != nil {
				t.Error("RespondToAuthChallenge() gave tokens beside its error")
			}
		})
	}
}

// TestKnownKeys: an A that makes SRP's key known to everybody is refused.
func TestKnownKeys(t *testing.T) {
	p := newPlace(t).server(t, byEmail)
	addAna(t, p, nil)
	for _, a := range []string{"0", "00", strings.Repeat("f", 768), strings.Repeat("f", 5000), "-1", "x"} {
		_, err := p.InitiateAuth(t.Context(), InitiateAuthInput{
			AuthFlow: "USER_SRP_AUTH", ClientID: p.ClientID(), AuthParameters: map[string]string{"USERNAME": ana, "SRP_A": a},
		})
		wantError(t, "InitiateAuth(SRP_A "+a[:1]+"...)", err, InvalidParameter, "Invalid SRP_A")
	}
}

func TestInitiateAuthRefuses(t *testing.T) {
	p := newPlace(t).server(t, byEmail)
	long := strings.Repeat("a", 129)
	for _, c := range []struct {
		in      InitiateAuthInput
		kind    Kind
		message string
	}{
		{InitiateAuthInput{AuthFlow: "USER_SRP_AUTH", ClientID: "other"}, ResourceNotFound, "User pool client other does not exist."},
		{InitiateAuthInput{AuthFlow: "USER_SRP_AUTH"}, InvalidParameter, "Missing required parameter USERNAME"},
		{InitiateAuthInput{AuthFlow: "USER_SRP_AUTH", AuthParameters: map[string]string{"USERNAME": ana}}, InvalidParameter, "Missing required parameter SRP_A"},
		{InitiateAuthInput{AuthFlow: "USER_SRP_AUTH", AuthParameters: map[string]string{"USERNAME": long, "SRP_A": "2"}}, InvalidParameter, "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must have length less than or equal to 128"},
		{InitiateAuthInput{AuthFlow: "USER_PASSWORD_AUTH"}, InvalidParameter, "USER_PASSWORD_AUTH flow not enabled for this client"},
		{InitiateAuthInput{AuthFlow: "CUSTOM_AUTH"}, InvalidParameter, "CUSTOM_AUTH flow not enabled for this client"},
		{InitiateAuthInput{AuthFlow: "REFRESH_TOKEN_AUTH"}, InvalidParameter, "Missing required parameter REFRESH_TOKEN"},
		{InitiateAuthInput{AuthFlow: "X"}, InvalidParameter, "1 validation error detected: Value 'X' at 'authFlow' failed to satisfy constraint: Member must satisfy enum value set: [USER_SRP_AUTH, ADMIN_USER_PASSWORD_AUTH, USER_AUTH, CUSTOM_AUTH, USER_PASSWORD_AUTH, ADMIN_NO_SRP_AUTH, REFRESH_TOKEN_AUTH, REFRESH_TOKEN]"},
	} {
		c.in.ClientID = cmp.Or(c.in.ClientID, p.ClientID())
		_, err := p.InitiateAuth(t.Context(), c.in)
		wantError(t, "InitiateAuth("+c.in.AuthFlow+")", err, c.kind, c.message)
	}
	_, err := respond(t, p, "DEVICE_SRP_AUTH", "", map[string]string{"USERNAME": ana})
	wantError(t, "RespondToAuthChallenge()", err, InvalidParameter, "1 validation error detected: Value 'DEVICE_SRP_AUTH' at 'challengeName' failed to satisfy constraint: Member must satisfy enum value set: [SMS_MFA, SOFTWARE_TOKEN_MFA, SELECT_MFA_TYPE, MFA_SETUP, PASSWORD_VERIFIER, NEW_PASSWORD_REQUIRED]")
}

// TestReplay: an answer that has signed in once does not again, on no server.
func TestReplay(t *testing.T) {
	w := newPlace(t)
	first, second := w.server(t, byEmail), openPool(t, Options{Region: "ap-southeast-1", Store: w.open(t), Settings: byEmail, Now: w.now})
	addAna(t, first, nil)
	responses := begins(t, first, ana).responses(t, first, anaPassword)
	if out, err := respond(t, second, passwordVerifier, "", responses); err != nil || out.AuthenticationResult == nil {
		t.Fatalf("answer to another server = %+v, %v", out, err)
	}
	for _, p := range []*Pool{first, second} {
		_, err := respond(t, p, passwordVerifier, "", responses)
		wantError(t, "the same answer again", err, NotAuthorized, "Invalid session for the user.")
	}
}

func TestStepExpires(t *testing.T) {
	w := newPlace(t)
	p := w.server(t, byEmail)
	u := addAna(t, p, nil)
	responses := begins(t, p, ana).responses(t, p, anaPassword)
	w.advance(stepLife)
	_, err := respond(t, p, passwordVerifier, "", responses)
	wantError(t, "an answer that comes late", err, NotAuthorized, "Invalid session for the user, session is expired.")

	responses = begins(t, p, ana).responses(t, p, anaPassword)
	edit(t, p, u, func(u *user) { p.setPassword(u, anaPassword) })
	_, err = respond(t, p, passwordVerifier, "", responses)
	wantError(t, "an answer after the password changed", err, NotAuthorized, "Invalid session for the user.")

	responses = begins(t, p, ana).responses(t, p, anaPassword)
	if _, err := p.store.DeleteUser(t.Context(), p.ID(), u.Sub); err != nil {
		t.Fatal(err)
	}
	_, err = respond(t, p, passwordVerifier, "", responses)
	wantError(t, "an answer of a user who is gone", err, NotAuthorized, "Invalid session for the user.")
}

// TestAccountStands: how an account stands is told to who knows the password only.
func TestAccountStands(t *testing.T) {
	for _, c := range []struct {
		name    string
		edit    func(*user)
		kind    Kind
		message string
	}{
		{"unconfirmed", func(u *user) { u.Status = unconfirmed }, UserNotConfirmed, "User is not confirmed."},
		{"reset", func(u *user) { u.Status = resetRequired }, PasswordResetRequired, "Password reset required for the user"},
		{"disabled", func(u *user) { u.Disabled = true }, NotAuthorized, "User is disabled."},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlace(t).server(t, byEmail)
			addAna(t, p, c.edit)
			_, err := srpSignIn(t, p, ana, "wrong")
			wantError(t, "a wrong password", err, NotAuthorized, "Incorrect username or password.")
			_, err = srpSignIn(t, p, ana, anaPassword)
			wantError(t, "the right password", err, c.kind, c.message)
		})
	}
}

// TestStrangers: nothing tells a user from nobody who does not know the password.
func TestStrangers(t *testing.T) {
	for name, settings := range map[string]Settings{"by e-mail": byEmail, "by name": {}} {
		t.Run(name, func(t *testing.T) {
			w := newPlace(t)
			p := w.server(t, settings)
			known, unknown := ana, "bob@example.com" // of one length
			addAna(t, p, func(u *user) {
				if len(settings.SignInBy) == 0 {
					u.Username = ana
				}
			})
			shape := func(name string) map[string]int {
				out := begins(t, p, name).challenge
				if again := begins(t, p, name).challenge; again.ChallengeParameters["SALT"] != out.ChallengeParameters["SALT"] ||
					again.ChallengeParameters["USERNAME"] != out.ChallengeParameters["USERNAME"] || again.ChallengeParameters["SRP_B"] == out.ChallengeParameters["SRP_B"] {
					t.Errorf("a second challenge of %s differs, or does not, where it should not", name)
				}
				shape := map[string]int{out.ChallengeName: 1}
				for key, value := range out.ChallengeParameters {
					shape[key] = len(value)
				}
				return shape
			}
			alike := func(a, b int) bool { return max(a, b)-min(a, b) < 16 } // numbers may begin with zeros
			if a, b := shape(known), shape(unknown); !maps.EqualFunc(a, b, alike) {
				t.Errorf("challenges differ: %v for a user, %v for nobody", a, b)
			}
			var answers [2][]string
			for i, name := range []string{known, unknown} {
				for range 8 {
					_, err := srpSignIn(t, p, name, "wrong")
					answers[i] = append(answers[i], err.Error())
				}
			}
			if !slices.Equal(answers[0], answers[1]) {
				t.Errorf("answers differ:\n%q for a user\n%q for nobody", answers[0], answers[1])
			}
			if p.settings.Load().SignInBy != nil && !uuidForm.MatchString(begins(t, p, unknown).challenge.ChallengeParameters["USERNAME"]) {
				t.Error("nobody's user name is no UUID in a pool whose users have such")
			}
			if nobody := "11111111-2222-4333-8444-555555555555"; begins(t, p, nobody).challenge.ChallengeParameters["USERNAME"] != nobody {
				t.Error("nobody's sub is answered with another one")
			}
		})
	}
}

func TestLockout(t *testing.T) {
	w := newPlace(t)
	settings := byEmail
	settings.Lockout = Lockout{Failures: 3, For: time.Second, MaxFor: 5 * time.Second}
	p := w.server(t, settings)
	addAna(t, p, nil)
	for range 3 {
		_, err := srpSignIn(t, p, ana, "wrong")
		wantError(t, "a wrong password", err, NotAuthorized, "Incorrect username or password.")
	}
	for _, lasts := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second} {
		w.advance(lasts - 1)
		other := w.server(t, settings)
		_, err := srpSignIn(t, other, ana, anaPassword)
		wantError(t, "the right password while locked out", err, NotAuthorized, "Password attempts exceeded")
		w.advance(1)
		_, err = srpSignIn(t, other, ana, "wrong")
		wantError(t, "a wrong password after the lockout", err, NotAuthorized, "Incorrect username or password.")
	}
	w.advance(5 * time.Second)
	mustSignIn(t, p)
	if u := find(t, p); u.Failures != 0 || !u.LockedUntil.IsZero() {
		t.Errorf("after a sign-in %d failures, locked until %v, want none", u.Failures, u.LockedUntil)
	}
}

// TestOddNames: a name of any characters gets as far as every other.
func TestOddNames(t *testing.T) {
	p := newPlace(t).server(t, Settings{})
	for _, name := range []string{strings.Repeat("<", maxName), strings.Repeat("\U0001f980", maxName), "é"} {
		_, err := srpSignIn(t, p, name, anaPassword)
		wantError(t, "sign-in of an odd name", err, NotAuthorized, "Incorrect username or password.")
	}
}

// TestGuessesAtOnce: of wrong passwords that come at once none is forgotten.
func TestGuessesAtOnce(t *testing.T) {
	p := newPlace(t).server(t, byEmail)
	u := addAna(t, p, nil)
	for range 2 * maxStrikes {
		p.strikeBehind(t.Context(), u)
	}
	settle(p)
	if got := find(t, p).Failures; got != 2*maxStrikes {
		t.Errorf("Failures after %d guesses at once = %d", 2*maxStrikes, got)
	}
}

func TestPasswordAuth(t *testing.T) {
	settings := byEmail
	settings.PasswordAuth = true
	p := newPlace(t).server(t, settings)
	addAna(t, p, nil)
	try := func(name, password string) (InitiateAuthOutput, error) {
		out, err := p.InitiateAuth(t.Context(), InitiateAuthInput{
			AuthFlow: "USER_PASSWORD_AUTH", ClientID: p.ClientID(), AuthParameters: map[string]string{"USERNAME": name, "PASSWORD": password},
		})
		settle(p)
		return out, err
	}
	if out, err := try(ana, anaPassword); err != nil || out.AuthenticationResult == nil {
		t.Errorf("InitiateAuth() = %+v, %v, want tokens", out, err)
	}
	_, err := try(ana, "wrong")
	wantError(t, "a wrong password", err, NotAuthorized, "Incorrect username or password.")
	_, err = try("bob", anaPassword)
	wantError(t, "an unknown user", err, NotAuthorized, "Incorrect username or password.")
	_, err = try(ana, "")
	wantError(t, "no password", err, InvalidParameter, "Missing required parameter PASSWORD")
}

func TestSignIn(t *testing.T) {
	p := newPlace(t).server(t, byEmail)
	u := addAna(t, p, nil)
	tokens, err := p.SignIn(t.Context(), ana, anaPassword)
	if err != nil || tokens.Access == "" || tokens.ID == "" || tokens.Refresh == "" || tokens.ExpiresIn != time.Hour {
		t.Errorf("SignIn() = %+v, %v", tokens, err)
	}
	for _, l := range []Login{{ana, "wrong"}, {ana, ""}, {"nobody", anaPassword}, {"", ""}} {
		tokens, err := p.SignIn(t.Context(), l.Username, l.Password)
		wantError(t, "SignIn()", err, NotAuthorized, "Incorrect username or password.")
		if tokens != (Tokens{}) {
			t.Error("SignIn() gave tokens beside its error")
		}
	}
	settle(p)
	edit(t, p, u, func(u *user) { u.Status = forceChange })
	_, err = p.SignIn(t.Context(), ana, anaPassword)
	wantError(t, "SignIn() where more is asked", err, UnsupportedOperation, "sign in: the user must answer NEW_PASSWORD_REQUIRED too: use a client that can")
}

// FuzzResume: nothing that the pool did not seal is a step.
func FuzzResume(f *testing.F) {
	p := newPlace(f).server(f, byEmail)
	addAna(f, p, nil)
	good, err := p.carry(begin(ana, find(f, p)), setupMFA)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("")
	f.Add(strings.Repeat("A", 64))
	f.Fuzz(func(t *testing.T, sealed string) {
		s, u, err := p.resume(t.Context(), sealed, setupMFA)
		if ours := strings.NewReplacer("\r", "", "\n", "").Replace(sealed) == good; (err == nil) != ours { // base64 has no lines
			t.Errorf("resume(%q) = %v", sealed, err)
		}
		if err != nil && (s != (step{}) || u.known()) {
			t.Errorf("resume(%q) = %+v beside an error", sealed, s)
		}
	})
}

func BenchmarkSignInBySRP(b *testing.B) {
	p := newPlace(b).server(b, byEmail)
	addAna(b, p, nil)
	b.ReportAllocs()
	for b.Loop() {
		mustSignIn(b, p)
	}
}

func BenchmarkSignInByPassword(b *testing.B) {
	p := newPlace(b).server(b, byEmail)
	addAna(b, p, nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.SignIn(b.Context(), ana, anaPassword); err != nil {
			b.Fatal(err)
		}
	}
}
