package tokens

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/tiktoken-go/tokenizer/codec"
	"golang.org/x/text/unicode/norm"
)

// vocabulary counts as a model's own tokenizer does. It is safe for concurrent use.
type vocabulary interface {
	Tokens(s string) int
}

// maxExact is the longest text in bytes that a vocabulary counts: about a second's work.
const maxExact = 2 << 20

// openAIs is o200k, the vocabulary of OpenAI's models since GPT-4o. The text of
// gpt-oss, whose o200k_harmony has more special tokens, is the same in it.
type openAIs struct{ *codec.Codec }

func newO200K() vocabulary { return openAIs{codec.NewO200kBase()} }

// Tokens counts a text. The codec fails for no text: its expression has no limit of time.
func (o openAIs) Tokens(s string) int {
	n, err := o.Count(s)
	if err != nil {
		panic("tokens: o200k: " + err.Error())
	}
	return n
}

// claude2File is claude.json of npm's @anthropic-ai/tokenizer 0.0.4, under the licence
// beside it: the vocabulary of Claude 2 and Instant.
//
//go:embed claude2/claude.json.gz
var claude2File []byte

// claude2s counts as countTokens of that package does, but for the names of its special
// tokens, which are text here as they are in a prompt.
type claude2s struct{ ranks ranks }

func newClaude2() vocabulary {
	ranks, err := readRanks(claude2File)
	if err != nil {
		panic("tokens: the vocabulary of claude 2 is broken: " + err.Error())
	}
	return claude2s{ranks}
}

// readRanks reads the member bpe_ranks: "!", the first token's rank, then the tokens in
// base64, each a rank higher.
func readRanks(file []byte) (ranks, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	var published struct {
		Ranks string `json:"bpe_ranks"`
		Size  int    `json:"explicit_n_vocab"`
	}
	if err := json.NewDecoder(unzipped).Decode(&published); err != nil {
		return nil, err
	}
	all := make(ranks, published.Size)
	for token := range strings.FieldsSeq(published.Ranks) {
		text, err := base64.StdEncoding.DecodeString(token)
		if err == nil { // what stands before the tokens is no base64
			all[string(text)] = uint32(len(all))
		}
	}
	return all, nil
}

func (v claude2s) Tokens(s string) int {
	n := 0
	for piece := range pieces(norm.NFKC.String(s)) {
		n += v.ranks.count(piece)
	}
	return n
}
