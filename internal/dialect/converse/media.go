package converse

import (
	"encoding/json"
	"slices"
	"strings"

	"fairway/internal/dialect"
)

// media is ImageBlock, DocumentBlock, VideoBlock and AudioBlock.
type media struct {
	Format    string          `json:"format,omitempty"`
	Name      string          `json:"name,omitempty"` // of a document
	Source    *source         `json:"source,omitempty"`
	Context   string          `json:"context,omitempty"`
	Citations *citations      `json:"citations,omitempty"`
	Error     json.RawMessage `json:"error,omitempty"` // of answers only
}

type citations struct {
	Enabled bool `json:"enabled"`
}

func (c *citations) asked() bool { return c != nil && c.Enabled }

// citing is the citations of a block whose are asked for or not.
func citing(asked bool) *citations {
	if !asked {
		return nil
	}
	return &citations{Enabled: true}
}

// source is a union: exactly one member is given.
type source struct {
	Bytes      *string         `json:"bytes,omitempty"` // base64
	S3Location *s3Location     `json:"s3Location,omitempty"`
	Text       *string         `json:"text,omitempty"`    // of a document
	Content    json.RawMessage `json:"content,omitempty"` // of a document, in parts to cite
}

type s3Location struct {
	URI         string `json:"uri"`
	BucketOwner string `json:"bucketOwner,omitempty"`
}

func (m *media) read(kind dialect.BlockType) (dialect.Block, error) {
	read, err := m.content(kind)
	return dialect.Block{Type: kind, Media: read, Cited: m.Citations.asked()}, under(err, string(kind))
}

func (m *media) content(kind dialect.BlockType) (*dialect.Media, error) {
	document, s := kind == dialect.Document, m.Source
	switch {
	case m.Error != nil:
		return nil, notCarried("error")
	case m.Format == "" && !document:
		return nil, &refusal{"format", "is missing"}
	case m.Name == "" && document:
		return nil, &refusal{"name", "is missing"}
	case s == nil:
		return nil, &refusal{"source", "is missing"}
	case s.Content != nil:
		return nil, notCarried("source.content")
	}
	if err := one(s.Bytes != nil, s.S3Location != nil, s.Text != nil && document); err != nil {
		return nil, under(err, "source")
	}
	read := &dialect.Media{Format: m.Format, Name: m.Name, Context: m.Context}
	switch {
	case s.Bytes != nil:
		read.Data = *s.Bytes
	case s.Text != nil:
		read.Text = *s.Text
	default:
		read.URI, read.Owner = s.S3Location.URI, s.S3Location.BucketOwner
	}
	switch {
	case read.Data == "" && read.Text == "" && read.URI == "":
		return nil, &refusal{"source", "is empty"}
	case read.Data != "" && !dialect.IsBase64(read.Data):
		return nil, &refusal{"source.bytes", "is no base64"}
	}
	return read, nil
}

// writeMedia is the wire form of a block with Media.
func writeMedia(b dialect.Block) (*media, error) {
	m := b.Media
	written := &media{Format: m.Format, Name: m.Name, Source: new(source), Context: m.Context, Citations: citing(b.Cited)}
	switch {
	case m.Data != "":
		written.Source.Bytes = &m.Data
	case m.Text != "" && b.Type == dialect.Document:
		written.Source.Text = &m.Text
	case strings.HasPrefix(m.URI, "s3://"):
		written.Source.S3Location = &s3Location{m.URI, m.Owner}
	default:
		return nil, &refusal{string(b.Type), "Converse takes bytes and s3 locations: fetch it first"}
	}
	return written, nil
}

// among refuses a value that is none of those.
func among(path, value string, valid ...string) error {
	if slices.Contains(valid, value) {
		return nil
	}
	valid = slices.DeleteFunc(valid, func(v string) bool { return v == "" })
	return &refusal{path, "is none of " + strings.Join(valid, ", ")}
}
