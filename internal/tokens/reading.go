package tokens

import "fairway/internal/dialect"

// Reading is what an estimate is made from: a call as its family's arithmetic counts it.
type Reading struct {
	Text   int    // tokens of texts
	Frame  int    // tokens of images and documents, and what the format itself takes
	Script Script // of most of the texts
}

// Read reads a call.
func (f Family) Read(c *dialect.Conversation) Reading {
	r, _ := f.read(func(w *walk) { w.conversation(c) })
	return r
}

// ReadText reads a text, or the sample of one.
func (f Family) ReadText(s string) Reading {
	var m mix
	m.add(s)
	return Reading{Text: whole(f.weight(&m)), Script: m.script()}
}

// read reads what a walk goes through, and tells the bytes of its texts.
func (f Family) read(through func(*walk)) (r Reading, size int) {
	var all mix
	w := walk{count: func(s string) int {
		var m mix
		m.add(s)
		for c, n := range m {
			all[c] += n
		}
		size += len(s)
		return whole(f.weight(&m))
	}}
	through(&w)
	return Reading{Text: w.text, Frame: w.frame, Script: all.script()}, size
}
