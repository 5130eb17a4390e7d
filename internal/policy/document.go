package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"fairway/internal/inference"
)

// Version is the policy language that has variables, and the only one that
// documents with variables may use.
const Version = "2012-10-17"

// Document is an IAM policy document.
type Document struct {
	Version    string // "2012-10-17" or "2008-10-17"
	ID         string
	Statements []Statement
}

// documentJSON and statementJSON are the document's JSON form. Elements that
// hold a list may be written as one string.
type documentJSON struct {
	Version   string         `json:",omitempty"`
	ID        string         `json:"Id,omitempty"`
	Statement statementsJSON `json:",omitempty"`
}

type statementJSON struct {
	SID         string         `json:"Sid,omitempty"`
	Effect      string         `json:",omitempty"`
	Action      stringsJSON    `json:",omitempty"`
	NotAction   stringsJSON    `json:",omitempty"`
	Resource    stringsJSON    `json:",omitempty"`
	NotResource stringsJSON    `json:",omitempty"`
	Condition   conditionsJSON `json:",omitempty"`
}

type (
	statementsJSON []statementJSON
	stringsJSON    []string
	conditionsJSON map[string]map[string][]string // operator to key to values
)

// ParseDocument reads a policy document as IAM JSON. An element that IAM does not
// have in identity-based policies is an error of kind Validation; so is a
// statement that Compile would not take.
func ParseDocument(text []byte) (Document, error) {
	var in documentJSON
	if err := decodeStrictly(text, &in); err != nil {
		return Document{}, invalid("not a policy document", err)
	}
	if in.Version != "" && in.Version != Version && in.Version != "2008-10-17" {
		return Document{}, invalid("version is "+strconv.Quote(in.Version)+", want "+Version, nil)
	}
	if in.Version != Version && bytes.Contains(text, []byte("${")) {
		return Document{}, invalid("policy variables need version "+Version, nil)
	}
	if len(in.Statement) == 0 {
		return Document{}, invalid("no statements", nil)
	}
	doc := Document{Version: in.Version, ID: in.ID}
	for i, s := range in.Statement {
		statement := s.statement()
		if problem := malformed(statement); problem != "" {
			return Document{}, invalid("statement "+strconv.Itoa(i+1)+": "+problem, nil)
		}
		doc.Statements = append(doc.Statements, statement)
	}
	return doc, nil
}

func invalid(problem string, cause error) error {
	return &inference.Error{Kind: inference.Validation, Op: "parse policy", Message: problem, Err: cause}
}

// decodeStrictly refuses unknown elements and text after the value.
func decodeStrictly(text []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("more text after the document")
	}
	return nil
}

// UnmarshalJSON reads one statement or a list.
func (s *statementsJSON) UnmarshalJSON(text []byte) error {
	if text[0] == '[' {
		return decodeStrictly(text, (*[]statementJSON)(s))
	}
	*s = make(statementsJSON, 1)
	return decodeStrictly(text, &(*s)[0])
}

// UnmarshalJSON reads one value or a list. IAM takes booleans and numbers in
// conditions by their text.
func (s *stringsJSON) UnmarshalJSON(text []byte) error {
	var values []any
	if text[0] != '[' {
		text = bytes.Join([][]byte{[]byte("["), text, []byte("]")}, nil)
	}
	if err := decodeStrictly(text, &values); err != nil {
		return err
	}
	*s = make(stringsJSON, len(values))
	for i, value := range values {
		switch v := value.(type) {
		case string:
			(*s)[i] = v
		case bool:
			(*s)[i] = strconv.FormatBool(v)
		case json.Number:
			(*s)[i] = v.String()
		default:
			return errors.New("want a string or a list of strings")
		}
	}
	return nil
}

// UnmarshalJSON reads {operator: {key: value or list}}.
func (c *conditionsJSON) UnmarshalJSON(text []byte) error {
	var in map[string]map[string]stringsJSON
	if err := decodeStrictly(text, &in); err != nil {
		return err
	}
	*c = make(conditionsJSON, len(in))
	for operator, keys := range in {
		(*c)[operator] = make(map[string][]string, len(keys))
		for key, values := range keys {
			(*c)[operator][key] = values
		}
	}
	return nil
}

func (s statementJSON) statement() Statement {
	return Statement{
		SID: s.SID, Effect: s.Effect,
		Actions: s.Action, NotActions: s.NotAction,
		Resources: s.Resource, NotResources: s.NotResource,
		Conditions: s.Condition,
	}
}
