package dialect

import (
	"hash/fnv"
	"io"
)

// Filler is the texts that Bedrock puts beside the events of a stream as their
// member p: each is of another length, so that the size of a frame does not tell
// that of the words in it (facts bedrock.md 1.9). Here they follow from the answer's
// id: the same answer has the same frames.
type Filler struct{ state uint64 }

// NewFiller begins the texts of one answer.
func NewFiller(h Head) *Filler {
	hash := fnv.New64a()
	_, _ = io.WriteString(hash, h.ID) // a hash never fails
	return &Filler{hash.Sum64()}
}

// letters are what the texts are beginnings of.
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// Next is 1 to 62 letters and digits, none of which JSON escapes.
func (f *Filler) Next() string {
	f.state = f.state*6364136223846793005 + 1442695040888963407 // Knuth's MMIX, of which the high bits are good
	return letters[:1+f.state>>32*uint64(len(letters))>>32]
}
