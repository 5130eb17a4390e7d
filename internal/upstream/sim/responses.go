package sim

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// Responses is a text source of scripted answers, tried in order; what none
// matches is answered by Written. The file is a YAML list:
//
//	# all keys are optional, but there is a text or an error; with both, the error
//	# comes after the text: a stream breaks off
//	- match: chicken            # the last user message contains it, in any case
//	  model: "*sonnet*"         # path.Match pattern on the model id
//	  text: Chicken soup.
//	- match: /^translate\b/     # between slashes it is a regular expression (RE2)
//	  error:
//	    kind: ThrottlingException
//	    message: Too many tokens, please wait before trying again.
type Responses struct {
	rules []rule
}

type rule struct {
	matches func(prompt string) bool
	model   string
	reply   Reply
	err     error
}

// scripted is one entry as the file has it.
type scripted struct {
	Match string  `yaml:"match"`
	Model string  `yaml:"model"`
	Text  *string `yaml:"text"`
	Error *struct {
		Kind    inference.Kind `yaml:"kind"`
		Message string         `yaml:"message"`
	} `yaml:"error"`
}

// ParseResponses reads a file of scripted answers. Errors are Validation and
// begin with name and line.
func ParseResponses(name string, data []byte) (*Responses, error) {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, atLine(name, err, 1)
	}
	rules := new(Responses)
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		list, ok := doc.Body.(*ast.SequenceNode)
		if !ok {
			return nil, badResponses(name, lineOf(doc.Body), "want a list of answers: begin each with a dash")
		}
		for _, node := range list.Values {
			var s scripted
			if err := yaml.NodeToValue(node, &s, yaml.Strict()); err != nil {
				return nil, atLine(name, err, lineOf(node))
			}
			r, err := s.rule()
			if err != nil {
				return nil, badResponses(name, lineOf(node), err.Error())
			}
			rules.rules = append(rules.rules, r)
		}
	}
	return rules, nil
}

// answerable are the kinds of error that a region may answer with.
var answerable = []inference.Kind{
	inference.Validation, inference.ServiceQuotaExceeded, inference.AccessDenied, inference.ResourceNotFound,
	inference.ModelTimeout, inference.ModelError, inference.Throttling, inference.ModelNotReady,
	inference.InternalServer, inference.ServiceUnavailable,
}

func (s scripted) rule() (rule, error) {
	r := rule{model: s.Model, matches: func(prompt string) bool {
		return strings.Contains(strings.ToLower(prompt), strings.ToLower(s.Match))
	}}
	if len(s.Match) > 2 && s.Match[0] == '/' && strings.HasSuffix(s.Match, "/") {
		re, err := regexp.Compile(s.Match[1 : len(s.Match)-1])
		if err != nil {
			return rule{}, err
		}
		r.matches = re.MatchString
	}
	if _, err := path.Match(s.Model, ""); err != nil {
		return rule{}, fmt.Errorf("model %q is no pattern: %w", s.Model, err)
	}
	switch {
	case s.Text == nil && s.Error == nil:
		return rule{}, errors.New("an answer has a text, an error or both")
	case s.Error != nil && !slices.Contains(answerable, s.Error.Kind):
		return rule{}, fmt.Errorf("no region answers with error kind %q: use a name such as %s", s.Error.Kind, inference.Throttling)
	}
	if s.Text != nil {
		r.reply = Reply{{Type: dialect.Text, Text: *s.Text}}
	}
	if s.Error != nil {
		r.err = &inference.Error{Kind: s.Error.Kind, Message: s.Error.Message}
	}
	return r, nil
}

// Reply is the first answer that matches.
func (s *Responses) Reply(ctx context.Context, model inference.ModelID, c *dialect.Conversation) (Reply, error) {
	prompt := c.LastUserText()
	for _, r := range s.rules {
		if r.model != "" {
			if ok, _ := path.Match(r.model, string(model)); !ok { // the pattern was checked
				continue
			}
		}
		if r.matches(prompt) {
			return r.reply, r.err
		}
	}
	return Written{}.Reply(ctx, model, c)
}

// lineOf is the line on which an entry begins: that of its first key.
func lineOf(node ast.Node) int {
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken().Position.Line
	}
	return node.GetToken().Position.Line
}

// atLine words an error of the YAML package, at its own position if it has one.
func atLine(name string, err error, line int) error {
	message := err.Error()
	if e, ok := errors.AsType[yaml.Error](err); ok {
		message = e.GetMessage()
		if t := e.GetToken(); t != nil {
			line = t.Position.Line
		}
	}
	return badResponses(name, line, message)
}

func badResponses(name string, line int, message string) error {
	return &inference.Error{
		Kind:    inference.Validation,
		Op:      "read responses",
		Message: fmt.Sprintf("%s:%d: %s", name, line, message),
	}
}
