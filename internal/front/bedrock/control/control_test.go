package control_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"fairway/internal/front/bedrock/control"
)

// TestAnswers holds whole answers to the letter: status, exception, body.
func TestAnswers(t *testing.T) {
	p := newPlane(t)
	const (
		unknown    = `{"message":"The requested operation is not recognized by the service."}`
		malformed  = `{"message":"Malformed input request, please reformat your input and try again."}`
		noProfile  = `{"message":"The provided inference profile could not be found."}`
		noResource = `{"message":"The provided resource could not be found."}`
		noModel    = `{"message":"Could not resolve the foundation model from the provided model identifier."}`
		source     = `"modelSource":{"copyFrom":"` + apac + `"}`
		one        = "1 validation error detected: "
	)
	token := func(id string) string { return base64.RawURLEncoding.EncodeToString([]byte(id)) }
	invalid := func(message string) string { return `{"message":"` + message + `"}` }
	for _, test := range []struct {
		method, path, body string
		status             int
		exception          string
		want               string
	}{
		{"PUT", "/inference-profiles", "", 405, "UnknownOperationException", unknown},
		{"POST", "/foundation-models", "{}", 405, "UnknownOperationException", unknown},
		{"GET", "/tagResource", "", 405, "UnknownOperationException", unknown},
		{"GET", "/inference-profiles/", "", 404, "UnknownOperationException", unknown},
		{"GET", "/inference-profiles/a/b", "", 404, "UnknownOperationException", unknown},
		{"GET", "/inference-profiles//a", "", 404, "UnknownOperationException", unknown},
		{"GET", "/region/us/inference-profiles", "", 404, "UnknownOperationException", unknown},
		{"GET", "/guardrails", "", 404, "UnknownOperationException", unknown},
		{"GET", "/inference-profiles/..%2f..%2fetc", "", 400, "ValidationException", invalid(one + "Value '../../etc' at 'inferenceProfileIdentifier' failed to satisfy constraint: Member must satisfy regular expression pattern: (arn:aws(|-us-gov|-cn|-iso|-iso-b):bedrock:(|[0-9a-z-]{1,20}):(|[0-9]{12}):(inference-profile|application-inference-profile)/)?[a-zA-Z0-9-:.]+")},
		{"GET", "/inference-profiles/" + strings.Repeat("a", 2049), "", 400, "ValidationException", invalid(one + "Value '" + strings.Repeat("a", 64) + "...' at 'inferenceProfileIdentifier' failed to satisfy constraint: Member must have length less than or equal to 2048")},
		{"GET", "/inference-profiles/apac.none", "", 404, "ResourceNotFoundException", noProfile},
		{"GET", "/inference-profiles/abcdef123456", "", 404, "ResourceNotFoundException", noProfile},
		{"GET", "/inference-profiles/" + url.PathEscape("arn:aws:bedrock:ap-southeast-1:999999999999:application-inference-profile/abcdef123456"), "", 404, "ResourceNotFoundException", noProfile},
		{"GET", "/region/us-east-1/inference-profiles/apac." + sonnet4, "", 404, "ResourceNotFoundException", noProfile},
		{"DELETE", "/inference-profiles/apac.none", "", 404, "ResourceNotFoundException", noProfile},
		{"DELETE", "/inference-profiles/apac." + sonnet4, "", 400, "ValidationException", invalid("The provided inference profile is system-defined and cannot be deleted.")},

		{"GET", "/inference-profiles?type=ALL&maxResults=0", "", 400, "ValidationException", invalid("2 validation errors detected: Value 'ALL' at 'typeEquals' failed to satisfy constraint: Member must satisfy enum value set: [SYSTEM_DEFINED, APPLICATION]; Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1")},
		{"GET", "/inference-profiles?maxResults=1001", "", 400, "ValidationException", invalid(one + "Value '1001' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000")},
		{"GET", "/inference-profiles?maxResults=many", "", 400, "ValidationException", invalid("maxResults must be a whole number")},
		{"GET", "/inference-profiles?nextToken=", "", 400, "ValidationException", invalid(one + "Value '' at 'nextToken' failed to satisfy constraint: Member must have length greater than or equal to 1")},
		{"GET", "/inference-profiles?nextToken=%21", "", 400, "ValidationException", invalid("The provided nextToken is invalid.")},
		{"GET", "/foundation-models?byOutputModality=SMELL", "", 400, "ValidationException", invalid(one + "Value 'SMELL' at 'byOutputModality' failed to satisfy constraint: Member must satisfy enum value set: [TEXT, IMAGE, EMBEDDING]")},
		{"GET", "/inference-profiles?nextToken=" + token("no.such-profile"), "", 400, "ValidationException", invalid("The provided nextToken is invalid.")},
		{"GET", "/inference-profiles?nextToken=" + token("abcdef123456"), "", 400, "ValidationException", invalid("The provided nextToken is invalid.")},
		{"GET", "/inference-profiles?type=APPLICATION&nextToken=" + token("apac."+sonnet4), "", 400, "ValidationException", invalid("The provided nextToken is invalid.")},
		{"GET", "/inference-profiles?type=APPLICATION&nextToken=" + token("abcdef123456"), "", 200, "", `{"inferenceProfileSummaries":[]}`}, // deleted since
		{"GET", "/foundation-models/anthropic.none", "", 404, "ResourceNotFoundException", noModel},
		{"GET", "/foundation-models/" + url.PathEscape("arn:aws:bedrock:us-east-1::foundation-model/"+sonnet4), "", 404, "ResourceNotFoundException", noModel},
		{"GET", "/foundation-models/a%20b", "", 400, "ValidationException", invalid(one + "Value 'a b' at 'modelIdentifier' failed to satisfy constraint: Member must satisfy regular expression pattern: (arn:aws(|-us-gov|-cn|-iso|-iso-b):bedrock:(|[0-9a-z-]{1,20}):(|[0-9]{12}):[a-z-]+/)?[a-zA-Z0-9-_:./]+")},

		{"POST", "/inference-profiles", "", 400, "ValidationException", malformed},
		{"POST", "/inference-profiles", `{"inferenceProfileName":"a",` + source, 400, "ValidationException", malformed},
		{"POST", "/inference-profiles", `[]`, 400, "ValidationException", malformed},
		{"POST", "/inference-profiles", `{"inferenceProfileName":1}`, 400, "ValidationException", malformed},
		{"POST", "/inference-profiles", "{\"inferenceProfileName\":\"\xff\"}", 400, "ValidationException", malformed},
		{"POST", "/inference-profiles", strings.Repeat("[", 20000), 400, "ValidationException", malformed},
		{"POST", "/inference-profiles", strings.Repeat(" ", 1<<20+1), 400, "ValidationException", invalid(one + "Value at 'body' failed to satisfy constraint: Member must have length less than or equal to 1048576")},
		{"POST", "/inference-profiles", `{}`, 400, "ValidationException", invalid("2 validation errors detected: Value at 'inferenceProfileName' failed to satisfy constraint: Member must not be null; Value at 'modelSource' failed to satisfy constraint: Member must not be null")},
		{"POST", "/inference-profiles", `{"inferenceProfileName":"a","modelSource":{}}`, 400, "ValidationException", invalid(one + "Value at 'modelSource.copyFrom' failed to satisfy constraint: Member must not be null")},
		{"POST", "/inference-profiles", `{"inferenceProfileName":"a  b",` + source + `}`, 400, "ValidationException", invalid(one + "Value 'a  b' at 'inferenceProfileName' failed to satisfy constraint: Member must satisfy regular expression pattern: ([0-9a-zA-Z][ _-]?)+")},
		{"POST", "/inference-profiles", `{"inferenceProfileName":"a","description":"",` + source + `}`, 400, "ValidationException", invalid(one + "Value '' at 'description' failed to satisfy constraint: Member must have length greater than or equal to 1")},
		{"POST", "/inference-profiles", `{"inferenceProfileName":"a","clientRequestToken":"-",` + source + `}`, 400, "ValidationException", invalid(one + "Value '-' at 'clientRequestToken' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9])*")},
		{"POST", "/inference-profiles", `{"inferenceProfileName":"a","tags":[{"key":"k"}],` + source + `}`, 400, "ValidationException", invalid(one + "Value at 'tags.1.member.value' failed to satisfy constraint: Member must not be null")},
		{"POST", "/inference-profiles", `{"inferenceProfileName":"a","tags":[{"key":"AWS:k","value":""}],` + source + `}`, 400, "ValidationException", invalid("aws: prefixed tag key names are not allowed for external use.")},
		{"POST", "/inference-profiles", `{"inferenceProfileName":"a","tags":[{"key":"k","value":""},{"key":"k","value":""}],` + source + `}`, 400, "ValidationException", invalid("The tag key k is given more than once.")},
		{"POST", "/inference-profiles", `{"inferenceProfileName":"a","modelSource":{"copyFrom":"arn:aws:bedrock:us-east-1::foundation-model/` + sonnet35 + `"}}`, 400, "ValidationException", invalid("The provided model identifier is invalid.")},
		{"POST", "/inference-profiles", `{"inferenceProfileName":"a","modelSource":{"copyFrom":"arn:aws:bedrock:ap-southeast-1::foundation-model/none"}}`, 400, "ValidationException", invalid("The provided model identifier is invalid.")},

		{"POST", "/tagResource", `{"resourceARN":"short"}`, 400, "ValidationException", invalid("2 validation errors detected: Value at 'tags' failed to satisfy constraint: Member must not be null; Value 'short' at 'resourceARN' failed to satisfy constraint: Member must have length greater than or equal to 20")},
		{"POST", "/tagResource", `{"resourceARN":"` + apac + `","tags":[]}`, 404, "ResourceNotFoundException", noResource},
		{"POST", "/untagResource", `{"resourceARN":"` + apac + `"}`, 400, "ValidationException", invalid(one + "Value at 'tagKeys' failed to satisfy constraint: Member must not be null")},
		{"POST", "/untagResource", `{"resourceARN":"` + apac + `","tagKeys":[null]}`, 400, "ValidationException", invalid(one + "Value at 'tagKeys.1.member' failed to satisfy constraint: Member must not be null")},
		{"POST", "/untagResource", `{"resourceARN":"` + apac + `","tagKeys":["k"]}`, 404, "ResourceNotFoundException", noResource},
		{"POST", "/listTagsForResource", `{}`, 400, "ValidationException", invalid(one + "Value at 'resourceARN' failed to satisfy constraint: Member must not be null")},
		{"POST", "/listTagsForResource", `{"resourceARN":"arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdef123456"}`, 404, "ResourceNotFoundException", noResource},
	} {
		response, body := p.ask(t, test.method, test.path, test.body)
		exception, _, _ := strings.Cut(response.Header.Get("X-Amzn-Errortype"), ":")
		if response.StatusCode != test.status || exception != test.exception || body != test.want || response.Header.Get("X-Amzn-Requestid") == "" {
			t.Errorf("%s %.100s %.100s = %d %s %s, want %d %s %s", test.method, test.path, test.body,
				response.StatusCode, exception, body, test.status, test.exception, test.want)
		}
	}
}

// TestSuccesses: what succeeds has the status and the body of the service.
func TestSuccesses(t *testing.T) {
	p := newPlane(t)
	response, body := p.ask(t, "POST", "/region/us-east-1/inference-profiles",
		`{"inferenceProfileName":"one region","modelSource":{"copyFrom":"arn:aws:bedrock:us-east-1::foundation-model/`+sonnet35+`"},"new":{}}`)
	arn, ok := strings.CutPrefix(body, `{"inferenceProfileArn":"arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/`)
	id, rest, _ := strings.Cut(arn, `"`)
	if response.StatusCode != http.StatusCreated || !ok || rest != `,"status":"ACTIVE"}` || response.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("CreateInferenceProfile = %d %s", response.StatusCode, body)
	}
	if profile, err := p.catalog.Lookup(t.Context(), id, "us-east-1"); err != nil || profile.CopiedFrom != sonnet35 || len(profile.Destinations) != 1 {
		t.Errorf("Lookup(%s) = %+v, %v, want the model in its region", id, profile, err)
	}
	name := `"resourceARN":"arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/` + id + `"`
	for _, test := range []struct{ method, path, body, want string }{
		{"POST", "/tagResource", `{` + name + `,"tags":[{"key":"b","value":"x=y"},{"key":"a","value":""}]}`, ""},
		{"POST", "/listTagsForResource", `{` + name + `}`, `{"tags":[{"key":"a","value":""},{"key":"b","value":"x=y"}]}`},
		{"POST", "/untagResource", `{` + name + `,"tagKeys":["a","b"]}`, ""},
		{"POST", "/listTagsForResource", `{` + name + `}`, `{"tags":[]}`},
		{"DELETE", "/inference-profiles/" + id, "", ""},
		{"GET", "/inference-profiles?type=APPLICATION", "", `{"inferenceProfileSummaries":[]}`},
	} {
		response, body := p.ask(t, test.method, "/region/us-east-1"+test.path, test.body)
		if response.StatusCode != http.StatusOK || body != test.want {
			t.Errorf("%s %s = %d %s, want 200 %s", test.method, test.path, response.StatusCode, body, test.want)
		}
	}
}

// TestDenials: who may not do it is told so in IAM's words, before anything is
// said of what there is.
func TestDenials(t *testing.T) {
	p := newPlane(t)
	denied := func(action, resource string) string {
		return `{"Message":"User: arn:aws:iam::123456789012:user/reader is not authorized to perform: bedrock:` + action +
			` on resource: ` + resource + ` because no identity-based policy allows the bedrock:` + action + ` action"}`
	}
	const application = "arn:aws:bedrock:ap-southeast-1:123456789012:application-inference-profile/"
	for _, test := range []struct{ key, method, path, body, want string }{
		{"", "GET", "/inference-profiles", "", `{"Message":"Missing Authentication Token"}`},
		{"nobody", "GET", "/inference-profiles", "", `{"Message":"The security token included in the request is invalid."}`},
		{"reader", "GET", "/inference-profiles/apac.none", "", denied("GetInferenceProfile", "arn:aws:bedrock:ap-southeast-1:123456789012:inference-profile/apac.none")},
		{"reader", "DELETE", "/inference-profiles/abcdef123456", "", denied("DeleteInferenceProfile", application+"abcdef123456")},
		{"reader", "POST", "/inference-profiles", `{"inferenceProfileName":"a","modelSource":{"copyFrom":"` + apac + `"}}`, denied("CreateInferenceProfile", application+"*")},
		{"reader", "GET", "/foundation-models/" + sonnet4, "", denied("GetFoundationModel", "arn:aws:bedrock:ap-southeast-1::foundation-model/"+sonnet4)},
		{"reader", "POST", "/tagResource", `{"resourceARN":"` + application + `abcdef123456","tags":[]}`, denied("TagResource", application+"abcdef123456")},
	} {
		response, body := p.askAs(t, test.key, test.method, test.path, test.body)
		if response.StatusCode != http.StatusForbidden || body != test.want {
			t.Errorf("%s %s as %q = %d %s, want 403 %s", test.method, test.path, test.key, response.StatusCode, body, test.want)
		}
	}
	if response, body := p.askAs(t, "reader", "GET", "/foundation-models", ""); response.StatusCode != http.StatusOK {
		t.Errorf("ListFoundationModels as reader = %d %s, want 200", response.StatusCode, body)
	}
}

func TestServes(t *testing.T) {
	for path, want := range map[string]bool{
		"/inference-profiles":                   true,
		"/inference-profiles/a%2Fb":             true,
		"/inference-profiles/":                  true,
		"/foundation-models":                    true,
		"/region/us-east-1/foundation-models/x": true,
		"/tagResource":                          true,
		"/model/x/invoke":                       false,
		"/region/us-east-1/model/x/invoke":      false,
		"/region/nowhere/tagResource":           false,
		"/inference-profilesx":                  false,
		"/":                                     false,
		"":                                      false,
	} {
		if got := control.Serves(path); got != want {
			t.Errorf("Serves(%q) = %v, want %v", path, got, want)
		}
	}
}
