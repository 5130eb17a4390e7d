package anthropic

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"fairway/internal/dialect"
)

// media is the source of an image or document.
func media(path string, b *Block) (*dialect.Media, error) {
	s := b.Source
	if s == nil {
		return nil, refuse(path+".source", required)
	}
	path += ".source"
	if len(s.Unknown) > 0 {
		return nil, refuse(path+"."+clip(s.Unknown[0]), notCarried)
	}
	to := &dialect.Media{Name: b.Title}
	switch {
	case s.Type == "base64" && b.Type == "image":
		format, ok := strings.CutPrefix(s.MediaType, "image/")
		if !ok || !isImage(format) {
			return nil, refuse(path+".media_type", "Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'")
		}
		to.Format, to.Data = format, s.Data
	case s.Type == "base64":
		if s.MediaType != "application/pdf" {
			return nil, refuse(path+".media_type", "Input should be 'application/pdf'")
		}
		to.Format, to.Data = "pdf", s.Data
	case s.Type == "text" && b.Type == "document":
		if s.MediaType != "text/plain" {
			return nil, refuse(path+".media_type", "Input should be 'text/plain'")
		}
		to.Format, to.Text = "txt", s.Data
	case s.Type == "url" && b.Type == "document":
		to.Format, to.URI = "pdf", s.URL
	case s.Type == "url":
		to.URI = s.URL // the format is what the address serves
	default:
		return nil, refuse(path+".type", notCarried)
	}
	if s.Type == "base64" && !dialect.IsBase64(s.Data) {
		return nil, refuse(path+".base64", "invalid base64 data")
	}
	return to, nil
}

func isImage(format string) bool {
	switch format {
	case "jpeg", "png", "gif", "webp":
		return true
	}
	return false
}

// source is media as the source member of a block, and the document's title.
// Plain text in base64, of whatever kind, becomes the text that it is.
func source(path string, b *dialect.Block) (object, error) {
	m := b.Media
	switch {
	case m == nil:
		return nil, cannot(path, "has no source")
	case strings.HasPrefix(m.URI, "https://"), strings.HasPrefix(m.URI, "http://"):
		if b.Type == dialect.Document && m.Format != "pdf" {
			return nil, cannot(path, "is a document at an address, which has to be a PDF")
		}
		return object{"type": "url", "url": m.URI}, nil
	case m.URI != "":
		return nil, cannot(path, "is kept in S3, where Anthropic does not read: send its bytes")
	case b.Type == dialect.Image && isImage(m.Format):
		return object{"type": "base64", "media_type": "image/" + m.Format, "data": m.Data}, nil
	case b.Type == dialect.Document && m.Data != "" && m.Format == "pdf":
		return object{"type": "base64", "media_type": "application/pdf", "data": m.Data}, nil
	case b.Type == dialect.Document:
		text, ok := plainText(m)
		if ok {
			return object{"type": "text", "media_type": "text/plain", "data": text}, nil
		}
	}
	return nil, cannot(path, "is of a format that Anthropic does not read: "+clip(m.Format))
}

// plainText is the text of a document, where it is nothing else.
func plainText(m *dialect.Media) (string, bool) {
	switch m.Format {
	case "txt", "md", "csv", "html", "":
	default:
		return "", false
	}
	if m.Data == "" {
		return m.Text, true
	}
	text, err := base64.StdEncoding.DecodeString(m.Data)
	return string(text), err == nil && utf8.Valid(text)
}
