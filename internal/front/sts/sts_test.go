package sts

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/front"
	"fairway/internal/inference"
)

const (
	account = "123456789012"
	roleARN = "arn:aws:iam::123456789012:role/apps/writer"
	issuer  = "https://id.example.com/tenant"
)

var now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

var writer = Role{
	Name: "writer", ARN: roleARN, AssumedBy: []string{"ana"}, WebIdentity: []string{issuer},
	MaxSession: 2 * time.Hour, Tags: map[string]string{"team": "kitchen", "stage": "prod"}, SessionTags: []string{"stage", "ticket"},
}

// callers are who may come, by what they send for a signature.
var callers = map[string]inference.Credential{
	"ana":     {Principal: inference.Principal{Name: "ana", ARN: "arn:aws:iam::123456789012:user/ana"}, Service: "sts", Region: "ap-southeast-1", Caller: inference.Caller{ID: "u1", Key: "laptop", Budget: "team"}},
	"eve":     {Principal: inference.Principal{Name: "eve", ARN: "arn:aws:iam::123456789012:user/eve"}, Service: "sts", Region: "ap-southeast-1"},
	"chained": {Principal: inference.Principal{Name: "ana", ARN: "arn:aws:sts::123456789012:assumed-role/ana/tty1"}, Service: "sts", Region: "us-east-1", Session: &inference.Session{Name: "tty1"}},
	"bedrock": {Principal: inference.Principal{Name: "ana"}, Service: "bedrock", Region: "ap-southeast-1"},
	"nowhere": {Principal: inference.Principal{Name: "ana"}, Service: "sts", Region: "nowhere"},
}

func authenticate(r *http.Request, body func() ([]byte, error)) (inference.Credential, error) {
	if _, err := body(); err != nil {
		return inference.Credential{}, err
	}
	name := r.Header.Get("Authorization")
	if c, ok := callers[name]; ok {
		return c, nil
	}
	if name == "" {
		name = string(inference.MissingAuth)
	}
	return inference.Credential{}, &inference.Error{Kind: inference.Kind(name), Message: "text of " + name}
}

func verify(_ context.Context, token string) (inference.Identity, error) {
	i := inference.Identity{
		Issuer: issuer, Caller: inference.Caller{ID: "subject", Name: "Ana"}, Claims: map[string]any{"aud": []any{"app", "other"}},
	}
	switch token {
	case "good":
		return i, nil
	case "stranger":
		i.Issuer = "https://elsewhere.example.com"
		return i, nil
	}
	return inference.Identity{}, &inference.Error{Kind: inference.Kind(token)}
}

// door is a front whose sessions end up in issued.
func door(issued *inference.TemporarySession) *Front {
	return New(Config{
		Authenticate: authenticate,
		Verify:       verify,
		Roles: func(a inference.ARN) (Role, bool) {
			return writer, a == writer.ARN
		},
		Issue: func(s inference.TemporarySession) (inference.TemporaryCredentials, error) {
			*issued = s
			return inference.TemporaryCredentials{AccessKeyID: "FWASX", SecretAccessKey: "secret", SessionToken: "token", Expires: s.Expires}, nil
		},
		Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return now },
	})
}

// ask sends a form as who signs.
func ask(f http.Handler, signs string, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	if signs != "" {
		r.Header.Set("Authorization", signs)
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

func with(action string, more ...string) string {
	v := url.Values{"Action": {action}, "Version": {version}}
	for i := 0; i < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return v.Encode()
}

func assume(more ...string) string {
	return with("AssumeRole", append([]string{"RoleArn", roleARN, "RoleSessionName", "tty1"}, more...)...)
}

func webIdentity(more ...string) string {
	return with("AssumeRoleWithWebIdentity", append([]string{"RoleArn", roleARN, "RoleSessionName", "tty1", "WebIdentityToken", "good"}, more...)...)
}

func TestAssumeRole(t *testing.T) {
	var issued inference.TemporarySession
	w := ask(door(&issued), "ana", assume("DurationSeconds", "7200",
		"Tags.member.1.Key", "ticket", "Tags.member.1.Value", "42", "Tags.member.2.Key", "stage", "Tags.member.2.Value", ""))
	want := `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>` +
		`<Credentials><AccessKeyId>FWASX</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>2026-11-22T12:00:00Z</Expiration></Credentials>` +
		`<AssumedRoleUser><AssumedRoleId>writer:tty1</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/writer/tty1</Arn></AssumedRoleUser>` +
		`<PackedPolicySize>0</PackedPolicySize></AssumeRoleResult><ResponseMetadata><RequestId>` + w.Header().Get("X-Amzn-Requestid") + `</RequestId></ResponseMetadata></AssumeRoleResponse>`
	if w.Code != http.StatusOK || w.Body.String() != want {
		t.Errorf("AssumeRole = %d %s\nwant 200 %s", w.Code, w.Body, want)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control = %q, want no-store", got)
	}
	wantSession := inference.TemporarySession{
		Principal: "writer", ARN: "arn:aws:sts::123456789012:assumed-role/writer/tty1", Caller: inference.Caller{ID: "u1", Key: "laptop", Budget: "team"}, Expires: now.Add(2 * time.Hour),
		Session: inference.Session{Name: "tty1", Issued: now, Tags: map[string]string{"team": "kitchen", "stage": "", "ticket": "42"}},
	}
	if diff := cmp.Diff(wantSession, issued); diff != "" {
		t.Errorf("session (-want +got)\n%s", diff)
	}
	if writer.Tags["stage"] != "prod" {
		t.Error("the session's tags became the role's")
	}
}

func TestAssumeRoleWithWebIdentity(t *testing.T) {
	var issued inference.TemporarySession
	w := ask(door(&issued), "", webIdentity())
	for _, part := range []string{
		"<SubjectFromWebIdentityToken>subject</SubjectFromWebIdentityToken>", "<Provider>" + issuer + "</Provider>", "<Audience>app</Audience>",
		"<Expiration>2026-11-22T11:00:00Z</Expiration>",
	} {
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), part) {
			t.Errorf("AssumeRoleWithWebIdentity = %d %s, want %s in it", w.Code, w.Body, part)
		}
	}
	want := inference.TemporarySession{
		Principal: "writer", ARN: "arn:aws:sts::123456789012:assumed-role/writer/tty1",
		Caller: inference.Caller{ID: "subject", Name: "Ana"}, Expires: now.Add(time.Hour),
		Session: inference.Session{Name: "tty1", Issued: now, Tags: writer.Tags, Keys: map[string][]string{
			"id.example.com/tenant:sub": {"subject"}, "id.example.com/tenant:aud": {"app"},
		}},
	}
	if diff := cmp.Diff(want, issued); diff != "" {
		t.Errorf("session (-want +got)\n%s", diff)
	}
}

func TestGetSessionToken(t *testing.T) {
	var issued inference.TemporarySession
	if w := ask(door(&issued), "ana", with("GetSessionToken", "DurationSeconds", "900")); w.Code != http.StatusOK {
		t.Fatalf("GetSessionToken = %d %s", w.Code, w.Body)
	}
	want := inference.TemporarySession{
		Principal: "ana", ARN: callers["ana"].Principal.ARN, Caller: inference.Caller{ID: "u1", Key: "laptop", Budget: "team"},
		Expires: now.Add(15 * time.Minute), Session: inference.Session{Issued: now},
	}
	if diff := cmp.Diff(want, issued); diff != "" {
		t.Errorf("session (-want +got)\n%s", diff)
	}
}

func TestGetCallerIdentity(t *testing.T) {
	for signs, want := range map[string]callerIdentityResult{
		"ana":     {Arn: "arn:aws:iam::123456789012:user/ana", UserID: "ana", Account: account},
		"chained": {Arn: "arn:aws:sts::123456789012:assumed-role/ana/tty1", UserID: "ana:tty1", Account: account},
	} {
		var issued inference.TemporarySession
		w := ask(door(&issued), signs, with("GetCallerIdentity"))
		var got struct {
			XMLName xml.Name             `xml:"GetCallerIdentityResponse"`
			Result  callerIdentityResult `xml:"GetCallerIdentityResult"`
		}
		if err := xml.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		got.Result.XMLName = xml.Name{}
		if got.Result != want {
			t.Errorf("GetCallerIdentity of %s = %+v, want %+v", signs, got.Result, want)
		}
	}
}

// failed is the answer to a request that fails.
type failed struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
	Error   struct{ Type, Code, Message string }
	ID      string `xml:"RequestId"`
}

func TestRefusals(t *testing.T) {
	long := strings.Repeat("x", maxToken+1)
	unauthorized := "User: arn:aws:iam::123456789012:user/eve is not authorized to perform: sts:AssumeRole on resource: " + roleARN
	for _, c := range []struct {
		name, signs, body string
		status            int
		code, message     string
	}{
		{"nobody", "", assume(), 403, missingAuth, "text of"},
		{"unknown key", string(inference.UnrecognizedClient), assume(), 403, invalidClientToken, "text of"},
		{"wrong signature", string(inference.InvalidSignature), assume(), 403, signatureDoesNotMatch, "text of"},
		{"expired credentials", string(inference.ExpiredToken), assume(), 403, expiredToken, "text of"},
		{"half a signature", string(inference.IncompleteSignature), assume(), 400, incompleteSignature, "text of"},
		{"a store that is down", string(inference.InternalServer), assume(), 500, internalFailure, "The request processing has failed"},
		{"signed for another service", "bedrock", assume(), 403, signatureDoesNotMatch, "Credential should be scoped to correct service: 'sts'."},
		{"signed for no region", "nowhere", assume(), 403, signatureDoesNotMatch, "Credential should be scoped to a valid region."},
		{"not one's role", "eve", assume(), 403, accessDenied, unauthorized},
		{"no role", "eve", assume("RoleArn", roleARN+"2"), 403, accessDenied, unauthorized + "2"},
		{"no role of who may", "ana", assume("RoleArn", roleARN+"2"), 403, accessDenied, "User: "},
		{"no ARN", "ana", assume("RoleArn", "writer"), 400, validationError, "writer is invalid"},
		{"a user's ARN", "ana", assume("RoleArn", "arn:aws:iam::123456789012:user/eve"), 400, validationError, "arn:aws:iam::123456789012:user/eve is invalid"},
		{"no RoleArn", "ana", assume("RoleArn", ""), 400, validationError, "1 validation error detected: Value at 'roleArn'"},
		{"long RoleArn", "ana", assume("RoleArn", roleARN+long), 400, validationError, "1 validation error detected: Value at 'roleArn'"},
		{"no session name", "ana", assume("RoleSessionName", ""), 400, validationError, "1 validation error detected: Value '' at 'roleSessionName'"},
		{"a session name that walks", "ana", assume("RoleSessionName", "../admin"), 400, validationError, "1 validation error detected: Value '../admin' at 'roleSessionName'"},
		{"a session name of two lines", "ana", assume("RoleSessionName", "tty1\n"), 400, validationError, "1 validation error detected"},
		{"short", "ana", assume("DurationSeconds", "899"), 400, validationError, "1 validation error detected: Value '899' at 'durationSeconds'"},
		{"negative", "ana", assume("DurationSeconds", "-900"), 400, validationError, "1 validation error detected: Value '-900'"},
		{"longer than any", "ana", assume("DurationSeconds", "43201"), 400, validationError, "1 validation error detected: Value '43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200"},
		{"longer than the role's", "ana", assume("DurationSeconds", "7201"), 400, validationError, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		{"overflow", "ana", assume("DurationSeconds", "99999999999"), 400, malformedInput, "DurationSeconds"},
		{"no number", "ana", assume("DurationSeconds", "1h"), 400, malformedInput, "DurationSeconds"},
		{"chained for long", "chained", assume("DurationSeconds", "3601"), 400, validationError, "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"},
		{"a policy", "ana", assume("Policy", "{}"), 400, validationError, "Policy is not carried"},
		{"policies", "ana", assume("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/X"), 400, validationError, "PolicyArns is not carried"},
		{"transitive tags", "ana", assume("TransitiveTagKeys.member.1", "ticket"), 400, validationError, "TransitiveTagKeys is not carried"},
		{"a source identity", "ana", assume("SourceIdentity", "ana"), 400, validationError, "SourceIdentity is not carried"},
		{"a tag of the role's own", "ana", assume("Tags.member.1.Key", "team", "Tags.member.1.Value", "root"), 403, accessDenied, "User: arn:aws:iam::123456789012:user/ana is not authorized to perform: sts:TagSession on resource: " + roleARN},
		{"a tag twice", "ana", assume("Tags.member.1.Key", "ticket", "Tags.member.2.Key", "TICKET"), 400, validationError, "Duplicate tag keys found."},
		{"a tag of no key", "ana", assume("Tags.member.1.Value", "42"), 400, validationError, "Tags has to be a list"},
		{"a gap in the tags", "ana", assume("Tags.member.2.Key", "ticket"), 400, validationError, "Tags has to be a list"},
		{"tags of another form", "ana", assume("Tags.ticket", "42"), 400, validationError, "Tags has to be a list"},
		{"a strange tag", "ana", assume("Tags.member.1.Key", "ticket<", "Tags.member.1.Value", ""), 400, validationError, "Tags.member.1 is no tag"},
		{"a long tag", "ana", assume("Tags.member.1.Key", "ticket", "Tags.member.1.Value", long), 400, validationError, "Tags.member.1 is no tag"},
		{"GetSessionToken of a session", "chained", with("GetSessionToken"), 403, accessDenied, "Cannot call GetSessionToken with session credentials"},
		{"GetSessionToken with a device", "ana", with("GetSessionToken", "TokenCode", "123456"), 400, validationError, "TokenCode is not carried"},
		{"GetSessionToken for long", "ana", with("GetSessionToken", "DurationSeconds", "129601"), 400, validationError, "1 validation error detected: Value '129601'"},
		{"GetCallerIdentity of nobody", "", with("GetCallerIdentity"), 403, missingAuth, "text of"},
		{"no token", "", webIdentity("WebIdentityToken", ""), 400, validationError, "1 validation error detected: Value at 'webIdentityToken'"},
		{"a long token", "", webIdentity("WebIdentityToken", long), 400, validationError, "1 validation error detected: Value at 'webIdentityToken'"},
		{"a garbled token", "", webIdentity("WebIdentityToken", string(inference.Validation)), 400, invalidIdentityToken, "The ID Token provided is not a valid JWT."},
		{"an expired token", "", webIdentity("WebIdentityToken", string(inference.ExpiredToken)), 400, expiredIdentityToken, "Token expired"},
		{"a forged token", "", webIdentity("WebIdentityToken", string(inference.UnrecognizedClient)), 400, invalidIdentityToken, "Couldn't retrieve verification key"},
		{"an issuer that is away", "", webIdentity("WebIdentityToken", string(inference.ServiceUnavailable)), 500, internalFailure, "The request processing"},
		{"another issuer's user", "", webIdentity("WebIdentityToken", "stranger"), 403, accessDenied, "Not authorized to perform sts:AssumeRoleWithWebIdentity"},
		{"a user of no role", "", webIdentity("RoleArn", roleARN+"2"), 403, accessDenied, "Not authorized to perform sts:AssumeRoleWithWebIdentity"},
		{"a user for too long", "", webIdentity("DurationSeconds", "7201"), 400, validationError, "The requested DurationSeconds exceeds"},
		{"a user who tags", "", webIdentity("Tags.member.1.Key", "team"), 403, accessDenied, "Not authorized to perform sts:TagSession"},
		{"no action", "ana", "Version=" + version, 400, missingAction, "no Action"},
		{"another action", "ana", with("AssumeRoot"), 400, invalidAction, "Could not find operation AssumeRoot for version 2011-06-15"},
		{"another version", "ana", with("GetCallerIdentity", "Version", "2010-05-08"), 400, invalidAction, "Could not find operation GetCallerIdentity for version 2010-05-08"},
		{"a parameter twice", "ana", assume() + "&RoleArn=" + url.QueryEscape(roleARN), 404, malformedQuery, "the parameter RoleArn comes more than once"},
		{"no form", "ana", "%zz", 404, malformedQuery, "The query string contains a syntax error."},
		{"no text", "ana", "Action=%ff", 404, malformedQuery, "the parameter Action is not text"},
		{"many parameters", "ana", strings.Repeat("&", maxParameters), 404, malformedQuery, "the form has too many parameters"},
		{"long", "ana", assume() + "&X=" + strings.Repeat("x", 64<<10), 413, tooLarge, "the request is longer than 64 KiB"},
	} {
		var issued inference.TemporarySession
		w := ask(door(&issued), c.signs, c.body)
		var got failed
		if err := xml.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Errorf("%s: %v in %s", c.name, err, w.Body)
			continue
		}
		fault := map[bool]string{true: "Receiver", false: "Sender"}[c.status >= 500]
		if w.Code != c.status || got.Error.Code != c.code || got.Error.Type != fault || !strings.HasPrefix(got.Error.Message, c.message) {
			t.Errorf("%s: %d %+v, want %d %s %s: %s", c.name, w.Code, got.Error, c.status, fault, c.code, c.message)
		}
		if got.ID == "" || got.ID != w.Header().Get("X-Amzn-Requestid") {
			t.Errorf("%s: request id %q, want that of the header, %q", c.name, got.ID, w.Header().Get("X-Amzn-Requestid"))
		}
		if issued.Principal != "" {
			t.Errorf("%s: made a session of %s", c.name, issued.Principal)
		}
	}
}

func TestMostTags(t *testing.T) {
	parameters := form{}
	for n := range maxTags + 1 {
		if tags, err := parameters.tags(); err != nil || len(tags) != n {
			t.Fatalf("%d tags: %v, %v", n, tags, err)
		}
		parameters["Tags.member."+strconv.Itoa(n+1)+".Key"] = "k" + strconv.Itoa(n)
		parameters["Tags.member."+strconv.Itoa(n+1)+".Value"] = "v"
	}
	if tags, err := parameters.tags(); err == nil {
		t.Errorf("%d tags: %v, want an error", maxTags+1, tags)
	}
}

func TestServes(t *testing.T) {
	for _, c := range []struct {
		method, path, contentType, target string
		want                              bool
	}{
		{"POST", "/", "application/x-www-form-urlencoded", "", true},
		{"POST", "/", "application/x-www-form-urlencoded; charset=utf-8", "", true},
		{"GET", "/?Action=GetCallerIdentity&Version=2011-06-15", "application/x-www-form-urlencoded", "", false},
		{"POST", "/", "application/json", "", false},
		{"POST", "/", "", "", false},
		{"POST", "/", "multipart/form-data; boundary=x", "", false},
		{"POST", "/model", "application/x-www-form-urlencoded", "", false},
		{"POST", "/", "application/x-www-form-urlencoded", "AWSCognitoIdentityService.GetId", false},
	} {
		r := httptest.NewRequest(c.method, c.path, nil)
		r.Header.Set("Content-Type", c.contentType)
		if c.target != "" {
			r.Header.Set("X-Amz-Target", c.target)
		}
		if got := Serves(r); got != c.want {
			t.Errorf("Serves(%+v) = %t, want %t", c, got, c.want)
		}
	}
}

// TestLogTellsNoSecret wants neither tokens nor credentials nor what was sent in the log.
func TestLogTellsNoSecret(t *testing.T) {
	var log strings.Builder
	var issued inference.TemporarySession
	f := door(&issued)
	f.Log = slog.New(slog.NewTextHandler(&log, nil))
	ask(f, "", webIdentity())
	ask(f, "", webIdentity("WebIdentityToken", "stranger"))
	ask(f, "ana", assume("RoleSessionName", "hunter2 hunter2"))
	f.Issue = func(inference.TemporarySession) (inference.TemporaryCredentials, error) {
		return inference.TemporaryCredentials{}, errors.New("the secret is gone")
	}
	if w := ask(f, "ana", assume()); w.Code != 500 || strings.Contains(w.Body.String(), "gone") {
		t.Errorf("Issue fails: %d %s, want 500 and nothing of the cause", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "the secret is gone") {
		t.Error("the log does not tell the cause")
	}
	for _, word := range []string{"good", "stranger", "hunter2", "FWASX", "token="} {
		if strings.Contains(log.String(), word) {
			t.Errorf("the log has %q: %s", word, &log)
		}
	}
	if lines := strings.Count(log.String(), "\n"); lines != 4 {
		t.Errorf("%d lines for 4 calls", lines)
	}
}

// FuzzForm wants every answer to be the API's XML, and no session for who did not
// ask for one as a caller that may.
func FuzzForm(f *testing.F) {
	f.Add("ana", assume("Tags.member.1.Key", "ticket"))
	f.Add("eve", assume())
	f.Add("", webIdentity())
	f.Add("ana", "Action=AssumeRole&Action=GetCallerIdentity")
	f.Fuzz(func(t *testing.T, signs, body string) {
		if strings.ContainsAny(signs, "\r\n\x00") {
			t.Skip()
		}
		var issued inference.TemporarySession
		w := ask(door(&issued), signs, body)
		var any struct{ XMLName xml.Name }
		if err := xml.Unmarshal(w.Body.Bytes(), &any); err != nil {
			t.Fatalf("%q: %v in %s", body, err, w.Body)
		}
		if (any.XMLName.Local == "ErrorResponse") == (w.Code == http.StatusOK) {
			t.Errorf("%q: %d with %s", body, w.Code, any.XMLName.Local)
		}
		switch p := issued.Principal; {
		case p == "":
		case p == "ana" && signs != "ana", p != "ana" && p != "writer", issued.Expires.Sub(now) > 36*time.Hour:
			t.Errorf("%q as %q made %+v", body, signs, issued)
		}
		for key := range maps.Keys(issued.Session.Tags) {
			if _, own := writer.Tags[key]; !own && key != "ticket" {
				t.Errorf("%q set the tag %s", body, key)
			}
		}
	})
}

func TestBodyThatBreaksOff(t *testing.T) {
	var issued inference.TemporarySession
	r := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader("Action="), broken{}))
	w := httptest.NewRecorder()
	door(&issued).ServeHTTP(w, r)
	if w.Code != 404 || !strings.Contains(w.Body.String(), malformedQuery) {
		t.Errorf("a body that breaks off: %d %s", w.Code, w.Body)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestUserID has the ids that policies have for aws:userid: its table in package policy
// is the same.
func TestUserID(t *testing.T) {
	const own = "arn:aws:iam::123456789012:"
	session := &inference.Session{Name: "tty1"}
	for _, c := range []struct {
		name    string
		arn     inference.ARN
		session *inference.Session
		want    string
	}{
		{"ann", own + "user/people/ann", nil, "ann"},
		{"ann", own + "user/people/ann", session, "ann"},
		{"boss", own + "root", nil, "123456789012"},
		{"writer", own + "role/apps/author", nil, "author:writer"},
		{"writer", own + "role/apps/author", session, "author:tty1"},
		{"writer", "arn:aws:sts::123456789012:assumed-role/author/tty2", session, "author:tty2"},
	} {
		got := userID(inference.Credential{Principal: inference.Principal{Name: c.name, ARN: c.arn}, Session: c.session})
		if got != c.want {
			t.Errorf("userID(%s, session %v) = %q, want %q", c.arn, c.session, got, c.want)
		}
	}
}

// TestUnsignedRequestsAreLimited: who needs no signature may not have us check tokens
// without end; who signs goes on.
func TestUnsignedRequestsAreLimited(t *testing.T) {
	var issued inference.TemporarySession
	config := door(&issued).Config
	config.Unsigned = front.Rate{Burst: 2, Every: time.Minute}
	at := now
	config.Now = func() time.Time { return at }
	f := New(config)
	for i, want := range []int{200, 200, 400} {
		if w := ask(f, "", webIdentity()); w.Code != want || want == 400 && !strings.Contains(w.Body.String(), "<Code>Throttling</Code><Message>Rate exceeded</Message>") {
			t.Errorf("request %d = %d %s, want %d", i+1, w.Code, w.Body, want)
		}
	}
	if w := ask(f, "ana", assume()); w.Code != 200 {
		t.Errorf("AssumeRole while others are limited = %d, want 200", w.Code)
	}
	at = now.Add(time.Minute)
	if w := ask(f, "", webIdentity()); w.Code != 200 {
		t.Errorf("a minute later = %d, want 200", w.Code)
	}
}
