package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// OpenPrices reads the price file of that name, see ReadPrices. An error of a file that
// is not there is fs.ErrNotExist.
func OpenPrices(name string) (*Prices, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read prices: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read prices: %w", err)
	}
	prices, err := ReadPrices(name, text)
	if err != nil {
		return nil, fmt.Errorf("read prices:\n%w", err)
	}
	return prices, nil
}

// ReadPrices reads a price file, YAML or JSON with the keys of the facts' rows:
//
//	models:
//	  - id: apac.amazon.nova-pro-v1:0
//	    input_per_mtok: 0.84
//	    output_per_mtok: 3.36
//
// Rows of other providers than Bedrock are checked and left out. The error joins what
// is wrong, up to twenty problems, one a line, each with the file's name and line.
func ReadPrices(name string, text []byte) (*Prices, error) {
	r := &priceReader{name: name, prices: &Prices{rows: map[string][]dated{}}}
	r.read(text)
	if more := len(r.problems) - maxProblems; more > 0 {
		r.problems = append(r.problems[:maxProblems], fmt.Errorf("%s: %d more problems", name, more))
	}
	if len(r.problems) > 0 {
		return nil, errors.Join(r.problems...)
	}
	return r.prices, nil
}

// priceReader collects the rows of a price file and what is wrong with them.
type priceReader struct {
	name     string
	prices   *Prices
	problems []error
}

// refuse notes what is wrong at a line; line 0 is the file as a whole.
func (r *priceReader) refuse(line int, format string, args ...any) {
	at := r.name
	if line > 0 {
		at += ":" + strconv.Itoa(line)
	}
	r.problems = append(r.problems, fmt.Errorf("%s: %w", at, fmt.Errorf(format, args...)))
}

func (r *priceReader) read(text []byte) {
	if err := bounded(text); err != nil {
		r.refuse(0, "%w", err)
		return
	}
	file, err := parser.ParseBytes(text, 0)
	if e, ok := errors.AsType[yaml.Error](err); ok && e.GetToken() != nil {
		r.refuse(e.GetToken().Position.Line, "%s", e.GetMessage())
		return
	} else if err != nil {
		r.refuse(0, "%w", err)
		return
	}
	for i, doc := range file.Docs {
		switch {
		case doc.Body == nil || doc.Body.Type() == ast.CommentType:
		case i > 0:
			r.refuse(line(doc.Body), "one document is enough")
		default:
			r.file(doc.Body)
		}
	}
}

func (r *priceReader) file(n ast.Node) {
	for key, value := range r.members(n, "the file") {
		switch key {
		case "_about": // says where rows come from
		case "models":
			list, ok := value.(*ast.SequenceNode)
			if !ok {
				r.refuse(line(value), "models: want a list of rows")
				return
			}
			for _, row := range list.Values {
				r.model(row)
			}
		default:
			r.refuse(line(value), "unknown key %.40q: want models", key)
		}
	}
}

// model reads one row.
func (r *priceReader) model(n ast.Node) {
	var row priceRow
	provider, before := bedrock, len(r.problems)
	for key, value := range r.members(n, "a row") {
		switch key {
		case "provider":
			r.text(&provider, key, value, maxText)
		case "id":
			r.text(&row.ID, key, value, maxText)
		case "name":
			r.text(&row.Name, key, value, maxText)
		case "source":
			r.text(&row.Source, key, value, maxText)
		case "as_of":
			r.text(&row.AsOf, key, value, maxText)
		case "note":
			r.text(&row.Note, key, value, maxNote)
		case "from":
			r.date(&row.From, value)
		case "uncertain":
			r.flag(&row.Uncertain, value)
		case "conflict": // what another source says
			row.Uncertain = true
		case "tiers":
			row.Tiers = r.tiers(value)
		case "context_window", "max_output_tokens", "limits_note": // of the facts; the catalog has them
		default:
			r.amount(&row.rateRow, key, value, "a row", rowKeys)
		}
	}
	if len(r.problems) == before {
		r.complete(line(n), &row)
	}
	if len(r.problems) > before || provider != bedrock {
		return
	}
	if !r.prices.put(dated{row.price(), row}) {
		r.refuse(line(n), "%s: a second row of that id and date: give it another from, or take one out", row.ID)
	}
}

const (
	rowKeys  = "id, name, from, the prices, tiers, source, as_of, uncertain, note"
	tierKeys = "above_input_tokens, the prices"
)

// complete refuses a row without what every row has.
func (r *priceReader) complete(line int, row *priceRow) {
	switch {
	case row.ID == "":
		r.refuse(line, "a row without an id: want that of a model or inference profile")
	case strings.ContainsFunc(row.ID, func(c rune) bool { return c <= ' ' || c > '~' }):
		r.refuse(line, "id: want the id of a model or inference profile, got %.40q", row.ID)
	case row.Input == nil:
		r.refuse(line, "%s: want input_per_mtok", row.ID)
	}
}

// tiers reads the tiers of a row, by rising size.
func (r *priceReader) tiers(n ast.Node) []tierRow {
	list, ok := n.(*ast.SequenceNode)
	if !ok || len(list.Values) > maxTiers {
		r.refuse(line(n), "tiers: want a list of at most %d", maxTiers)
		return nil
	}
	tiers := make([]tierRow, 0, len(list.Values))
	for _, n := range list.Values {
		t := r.tier(n)
		if slices.ContainsFunc(tiers, func(other tierRow) bool { return other.Above == t.Above }) {
			r.refuse(line(n), "tiers: two above %d input tokens", t.Above)
		}
		tiers = append(tiers, t)
	}
	slices.SortFunc(tiers, func(a, b tierRow) int { return cmp.Compare(a.Above, b.Above) })
	return tiers
}

func (r *priceReader) tier(n ast.Node) (t tierRow) {
	before := len(r.problems)
	for key, value := range r.members(n, "a tier") {
		if key != "above_input_tokens" {
			r.amount(&t.rateRow, key, value, "a tier", tierKeys)
			continue
		}
		word, _ := scalar(value)
		above, err := strconv.Atoi(word)
		if err != nil || above <= 0 {
			r.refuse(line(value), "above_input_tokens: want a number of tokens above 0, got %.40q", word)
		}
		t.Above = above
	}
	if len(r.problems) == before && (t.Above == 0 || t.Input == nil) {
		r.refuse(line(n), "a tier: want above_input_tokens and input_per_mtok")
	}
	return t
}
