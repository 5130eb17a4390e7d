package arn

import (
	"errors"
	"testing"
)

var parsed = []struct {
	text string
	want ARN
}{
	{
		"arn:aws:bedrock:ap-southeast-1::foundation-model/anthropic.claude-sonnet-4-20250514-v1:0",
		ARN{"aws", "bedrock", "ap-southeast-1", "", "foundation-model/anthropic.claude-sonnet-4-20250514-v1:0"},
	},
	{
		"arn:aws:bedrock:::foundation-model/anthropic.claude-sonnet-4-6",
		ARN{"aws", "bedrock", "", "", "foundation-model/anthropic.claude-sonnet-4-6"},
	},
	{
		"arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:inference-profile/us-gov.x",
		ARN{"aws-us-gov", "bedrock", "us-gov-west-1", "123456789012", "inference-profile/us-gov.x"},
	},
	{"arn:aws:bedrock:*:*:*", ARN{"aws", "bedrock", "*", "*", "*"}},
}

func TestParse(t *testing.T) {
	for _, c := range parsed {
		got, err := Parse(c.text)
		if err != nil || got != c.want {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", c.text, got, err, c.want)
		}
		if text := got.String(); text != c.text {
			t.Errorf("Parse(%q).String() = %q, want its argument", c.text, text)
		}
	}
}

func TestParseMalformed(t *testing.T) {
	for _, text := range []string{
		"", "*", "arn", "arn:", "arn:aws", "arn:aws:bedrock:us-east-1:", "arn:aws:bedrock:us-east-1::",
		"arn::bedrock:us-east-1::model/x", "arn:aws::us-east-1::model/x", "ARN:aws:bedrock:us-east-1::model/x",
		" arn:aws:bedrock:us-east-1::model/x",
	} {
		if got, err := Parse(text); !errors.Is(err, ErrMalformed) || got != (ARN{}) {
			t.Errorf("Parse(%q) = %+v, %v, want the zero ARN and ErrMalformed", text, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range parsed {
		f.Add(c.text)
	}
	f.Add("arn:aws:bedrock:us-east-1")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Parse(text)
		switch {
		case err != nil && got != ARN{}:
			t.Errorf("Parse(%q) = %+v, %v, want the zero ARN with an error", text, got, err)
		case err == nil && got.String() != text:
			t.Errorf("Parse(%q).String() = %q, want its argument", text, got.String())
		}
	})
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(parsed[0].text); err != nil {
			b.Fatal(err)
		}
	}
}

func TestAssumedRole(t *testing.T) {
	for text, want := range map[string][2]string{
		"arn:aws:sts::123456789012:assumed-role/writer/tty1": {"writer", "tty1"},
		"arn:aws:iam::123456789012:role/writer/tty1":         {},
		"arn:aws:iam::123456789012:assumed-role/writer/tty1": {},
		"arn:aws:sts::123456789012:federated-user/ana":       {},
		"assumed-role/writer/tty1":                           {},
		"":                                                   {},
	} {
		role, session, ok := AssumedRole(text)
		if got := [2]string{role, session}; got != want || ok != (role != "") {
			t.Errorf("AssumedRole(%q) = %q, %t, want %q", text, got, ok, want)
		}
	}
}
