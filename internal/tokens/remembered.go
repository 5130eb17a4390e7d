package tokens

import (
	"hash/maphash"

	lru "github.com/hashicorp/golang-lru/v2"
)

// remembered is a vocabulary that knows what it counted last, by a hash and never the
// texts: a table of models counts the same call for each.
type remembered struct {
	vocabulary
	seed   maphash.Seed
	counts *lru.Cache[uint64, int]
}

const (
	rememberedTexts = 256
	worthKnowing    = 1 << 10 // bytes of a text that is looked up
)

func newRemembered(v vocabulary) vocabulary {
	counts, err := lru.New[uint64, int](rememberedTexts)
	if err != nil {
		panic("tokens: " + err.Error()) // the size is no size
	}
	return remembered{vocabulary: v, seed: maphash.MakeSeed(), counts: counts}
}

func (r remembered) Tokens(s string) int {
	if len(s) < worthKnowing {
		return r.vocabulary.Tokens(s)
	}
	key := maphash.String(r.seed, s)
	n, ok := r.counts.Get(key)
	if !ok {
		n = r.vocabulary.Tokens(s)
		r.counts.Add(key, n)
	}
	return n
}
