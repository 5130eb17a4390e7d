package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go"

	"fairway/internal/config"
	"fairway/internal/store"
)

// TestKeys: each form of key speaks for its principal, and no other key does.
func TestKeys(t *testing.T) {
	master, _ := environment("MASTER")
	key, err := store.ParseMasterKey(master)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := store.Seal(key, keyID, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(bearer))
	s := listening(t, `
master_key: env:MASTER
region: ap-southeast-1
simulate: {speed: instant}
principals:
  - name: app
    access_keys: [{id: `+keyID+`, secret: "`+sealed+`"}]
    bearer_keys: ["sha256:`+hex.EncodeToString(digest[:])+`"]
    `+allowAll+"\n")
	tr := transport(t, false)
	if got := invoked(t, modelClient(s.url(), tr)); got == "" {
		t.Error("the sealed key gets an empty answer")
	}
	if answer, text := askBearer(t, tr, s.url()+"/model/"+profile+"/invoke", prompt); answer.StatusCode != http.StatusOK {
		t.Errorf("the bearer key by its digest gets %d %s, want an answer", answer.StatusCode, text)
	}
	for _, tt := range []struct{ id, secret, want string }{
		{"FWAKBBBBBBBBBBBBBBBB", secret, "UnrecognizedClientException"},
		{keyID, "another secret", "InvalidSignatureException"},
	} {
		_, err := modelClient(s.url(), tr).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(profile), Body: []byte(prompt)},
			func(o *bedrockruntime.Options) {
				o.Credentials = credentials.NewStaticCredentialsProvider(tt.id, tt.secret, "")
			})
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != tt.want {
			t.Errorf("InvokeModel by %s = %v, want %s", tt.id, err, tt.want)
		}
	}
}

// TestKeysOfBadConfiguration: what cannot be used is told with its cause, and
// never with the secret.
func TestKeysOfBadConfiguration(t *testing.T) {
	other := "sealed:AXuHAAAA"
	for text, want := range map[string]string{
		"access_keys: [{id: " + keyID + ", secret: env:NONE}]":       `access key ` + keyID + `: read secret: nothing at "env:NONE"`,
		"access_keys: [{id: " + keyID + ", secret: " + other + "}]":  "access key " + keyID + ": ",
		"bearer_keys: [env:NONE]":                                    `bearer key of app: read secret: nothing at "env:NONE"`,
		"bearer_keys: [env:BEARER]\n    policies: [{Statement: {}}]": "fairway.yaml:",
	} {
		c := configured(t, "master_key: env:MASTER\nprincipals:\n  - name: app\n    "+text+"\n")
		s, err := New(context.Background(), Options{Config: c, Env: environment})
		if err == nil {
			s.Close()
		}
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("New with %s = %v, want %q", text, err, want)
		}
	}
}

// TestDenials: each kind of policy denies in the service's words, and the log says
// which line it was.
func TestDenials(t *testing.T) {
	s := listening(t, `region: ap-southeast-1
simulate: {speed: instant}
service_control_policies:
  - Statement:
      - {Effect: Allow, Action: "*", Resource: "*"}
      - Effect: Deny
        Action: bedrock:*
        Resource: arn:aws:bedrock:*::foundation-model/amazon.nova-pro*
        Condition: {StringEquals: {"aws:RequestedRegion": us-east-1}}
principals:
  - name: app
    bearer_keys: [env:BEARER]
    boundary:
      Statement: {Effect: Allow, Action: "bedrock:*", NotResource: "arn:aws:bedrock:*::foundation-model/amazon.nova-lite*"}
    policies:
      - Statement:
          - {Effect: Allow, Action: "bedrock:*", Resource: "*"}
          - {Effect: Deny, Action: "bedrock:*", Resource: "arn:aws:bedrock:*::foundation-model/amazon.nova-micro*"}
`)
	for _, tt := range []struct{ name, path, because, at string }{
		{"service control policy", "/region/us-east-1/model/amazon.nova-pro-v1:0/converse", "with an explicit deny in a service control policy", "fairway.yaml:6"},
		{"boundary", "/region/us-east-1/model/amazon.nova-lite-v1:0/converse", "because no permissions boundary allows the bedrock:InvokeModel action", ""},
		{"identity-based policy", "/region/us-east-1/model/amazon.nova-micro-v1:0/converse", "with an explicit deny in an identity-based policy", "fairway.yaml:18"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answer, text := askBearer(t, transport(t, false), s.url()+tt.path, `{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}`)
			if answer.StatusCode != http.StatusForbidden || !strings.Contains(text, "User: arn:aws:iam::123456789012:user/app is not authorized to perform: ") || !strings.Contains(text, tt.because) {
				t.Errorf("answer = %d %s, want 403 %s", answer.StatusCode, text, tt.because)
			}
			line := s.wait(t, "call denied")
			if !strings.Contains(line["error"], tt.because) || tt.at != "" && !strings.HasSuffix(line["error"], ": decided by the statement at "+tt.at) {
				t.Errorf("log = %v, want %s at %s", line, tt.because, tt.at)
			}
			if strings.Contains(text, "fairway.yaml") {
				t.Errorf("the caller is told the position: %s", text)
			}
		})
	}
}

// TestReconfigure: keys, policies, order and limits are those of the new
// configuration from the next call on, and a bad one changes nothing.
func TestReconfigure(t *testing.T) {
	first := "region: ap-southeast-1\nsimulate: {speed: instant}\n" + caller
	s := listening(t, first)
	tr := transport(t, false)
	region := func() string {
		answer, text := askBearer(t, tr, s.url()+"/model/"+profile+"/invoke", prompt)
		if answer.StatusCode != http.StatusOK {
			return text
		}
		return answer.Header.Get("X-Fairway-Destination-Region")
	}
	reconfigure := func(text string) error {
		return s.Reconfigure(t.Context(), Kept(s.app.Load().config, configured(t, text)), nil)
	}
	if got := region(); got != "ap-southeast-1" {
		t.Errorf("before the reload the call ran in %s, want ap-southeast-1", got)
	}
	if err := reconfigure("order: [ap-south-2]\n" + first); err != nil {
		t.Fatal(err)
	}
	if got := region(); got != "ap-south-2" {
		t.Errorf("with another order the call ran in %s, want ap-south-2", got)
	}
	if err := reconfigure(strings.Replace(first, "env:SECRET", "env:NONE", 1)); err == nil {
		t.Error("Reconfigure with a key that is not there = nil, want an error")
	}
	if got := region(); got != "ap-south-2" {
		t.Errorf("after a bad reload the call ran in %s, want ap-south-2", got)
	}
	if err := reconfigure("limits: {calls: 1}\n" + first); err != nil {
		t.Fatal(err)
	}
	leave, err := s.room.Enter()
	if err != nil {
		t.Fatal(err)
	}
	if got := region(); !strings.Contains(got, "Too many requests") {
		t.Errorf("past the new limit the answer is %s, want too many requests", got)
	}
	leave()
	if err := reconfigure(strings.Replace(first, `Action: "bedrock:*"`, `Action: "bedrock:List*"`, 1)); err != nil {
		t.Fatal(err)
	}
	if got := region(); !strings.Contains(got, "not authorized") {
		t.Errorf("with other policies the answer is %s, want a denial", got)
	}
	if err := reconfigure(strings.Replace(first, "bearer_keys: [env:BEARER]", "", 1)); err != nil {
		t.Fatal(err)
	}
	if got := region(); !strings.Contains(got, "security token") {
		t.Errorf("with its key gone the caller gets %s, want to be unknown", got)
	}
}

// TestKept: what a server opens once stays as it was, and is told.
func TestKept(t *testing.T) {
	opened := configured(t, caller)
	next := configured(t, "listen: 127.0.0.1:1\naccount: \"111122223333\"\norder: [ap-south-1]\nlog: {level: debug, content: true}\ndrain_timeout: 1s\n"+caller)
	kept := Kept(opened, next)
	if got := strings.Join(config.Changed(kept, next), " "); got != "listen account drain_timeout log.level" {
		t.Errorf("settings that need a restart = %s, want listen account drain_timeout log.level", got)
	}
	if got := strings.Join(config.Changed(opened, kept), " "); got != "order log.content principals" {
		t.Errorf("settings that changed = %s, want order log.content principals", got)
	}
}

// TestGuardOfServe: the host of base_url is this server, and no other name is, but
// for those who only ask how it is.
func TestGuardOfServe(t *testing.T) {
	s := listening(t, "simulate: {speed: instant}\n"+caller, func(o *Options) { o.BaseURL = "https://models.example.com" })
	for at, want := range map[string]int{
		"models.example.com/": http.StatusNotFound, "MODELS.example.com:443/": http.StatusNotFound, s.address + "/": http.StatusNotFound,
		"bedrock-runtime.eu-west-1.amazonaws.com/": http.StatusNotFound, "evil.example.com/": http.StatusForbidden,
		"pod-7.example.com/healthz": http.StatusOK, "pod-7.example.com/readyz": http.StatusOK,
	} {
		host, path, _ := strings.Cut(at, "/")
		r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.url()+"/"+path, bytes.NewReader(nil))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		answer, err := transport(t, false).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("GET %s = %d, want %d", at, answer.StatusCode, want)
		}
	}
}
