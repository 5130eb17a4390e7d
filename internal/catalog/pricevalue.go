package catalog

import (
	"cmp"
	"iter"

	"github.com/goccy/go-yaml/ast"
)

// members are the keys and values of a mapping, each key once.
func (r *priceReader) members(n ast.Node, what string) iter.Seq2[string, ast.Node] {
	return func(yield func(string, ast.Node) bool) {
		var pairs []*ast.MappingValueNode
		switch n := n.(type) {
		case *ast.MappingNode:
			pairs = n.Values
		case *ast.MappingValueNode:
			pairs = []*ast.MappingValueNode{n}
		default:
			r.refuse(line(n), "%s: want keys and values", what)
		}
		seen := map[string]bool{}
		for _, pair := range pairs {
			key, ok := scalar(pair.Key)
			switch {
			case !ok:
				r.refuse(line(pair), "%s: want a plain key", what)
			case seen[key]:
				r.refuse(line(pair), "%s: %.40q a second time", what, key)
			case !yield(key, pair.Value):
				return
			}
			seen[key] = true
		}
	}
}

// amount reads a price of a million tokens; null is one that is not given.
func (r *priceReader) amount(of *rateRow, key string, value ast.Node, what, others string) {
	to := of.member(key)
	if to == nil {
		r.refuse(line(value), "unknown key %.40q in %s: want one of %s", key, what, others)
		return
	}
	if value.Type() == ast.NullType {
		return
	}
	word, _ := scalar(value)
	m, err := parseRate(word)
	if err != nil {
		r.refuse(line(value), "%s: %w", key, err)
		return
	}
	*to = &m
}

// member is the price of that key, nil where there is none.
func (r *rateRow) member(key string) **MicroDollars {
	switch key {
	case "input_per_mtok":
		return &r.Input
	case "output_per_mtok":
		return &r.Output
	case "cache_read_per_mtok":
		return &r.CacheRead
	case "cache_write_5m_per_mtok":
		return &r.CacheWrite
	case "cache_write_1h_per_mtok":
		return &r.CacheWrite1h
	case "batch_input_per_mtok":
		return &r.BatchInput
	case "batch_output_per_mtok":
		return &r.BatchOutput
	}
	return nil
}

func (r *priceReader) text(to *string, key string, value ast.Node, most int) {
	word, ok := scalar(value)
	if !ok || len(word) > most {
		r.refuse(line(value), "%s: want a text of at most %d bytes", key, most)
		return
	}
	*to = word
}

func (r *priceReader) date(to *Date, value ast.Node) {
	word, _ := scalar(value)
	if err := to.UnmarshalText([]byte(word)); err != nil {
		r.refuse(line(value), "from: %w, got %.40q", err, word)
	}
}

func (r *priceReader) flag(to *bool, value ast.Node) {
	word, _ := scalar(value)
	if word != "true" && word != "false" {
		r.refuse(line(value), "uncertain: want true or false, got %.40q", word)
	}
	*to = word == "true"
}

// scalar is a plain value's text as it stands in the file. Anchors, aliases and tags
// are none.
func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func line(n ast.Node) int {
	switch n := n.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 {
			return line(n.Values[0].Key) // its own token is its first colon
		}
	case *ast.MappingValueNode:
		return line(n.Key)
	}
	if t := n.GetToken(); t != nil {
		return cmp.Or(t.Position.Line, 1)
	}
	return 1
}
