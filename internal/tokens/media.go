package tokens

import (
	"encoding/base64"
	stdimage "image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"slices"
	"strings"

	"fairway/internal/dialect"
)

// media adds an image, a document, a video or a sound, with its name.
func (w *walk) media(kind dialect.BlockType, m *dialect.Media) {
	w.texts(m.Name, m.Context)
	switch {
	case kind == dialect.Image:
		w.frame += image(m)
	case m.Text != "":
		w.texts(m.Text)
	case slices.Contains(plain, m.Format):
		text, _ := base64.StdEncoding.DecodeString(m.Data) // what decodes counts
		w.texts(string(text))
	default:
		w.frame += pages(m)
	}
}

// plain are the formats of documents that are text.
var plain = []string{"txt", "md", "csv", "html"}

// An image costs a token for each 750 pixels; larger ones are scaled down to
// about 1,600 tokens first (Anthropic, "Vision").
const (
	pixelsPerToken = 750
	imageCap       = 1_600
)

// image estimates an image's tokens by the dimensions in its header. Where those
// are not at hand (a URI, WebP, a broken header) it is the cap.
func image(m *dialect.Media) int {
	width, height, ok := dimensions(m)
	if !ok {
		return imageCap
	}
	return max(1, int(min(int64(width)*int64(height)/pixelsPerToken, imageCap)))
}

func dimensions(m *dialect.Media) (width, height int, ok bool) {
	var decode func(io.Reader) (stdimage.Config, error)
	switch m.Format {
	case "png":
		decode = png.DecodeConfig
	case "jpeg":
		decode = jpeg.DecodeConfig
	case "gif":
		decode = gif.DecodeConfig
	default:
		return 0, 0, false
	}
	c, err := decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(m.Data)))
	return c.Width, c.Height, err == nil
}

// A PDF page costs 1,500 to 3,000 tokens (Anthropic, "PDF support"). How many
// pages there are is guessed by size; that figure is ours, and videos and sounds
// count as if they were pages.
const (
	tokensPerPage = 2_000
	bytesPerPage  = 50_000
)

func pages(m *dialect.Media) int {
	return tokensPerPage * (1 + base64.StdEncoding.DecodedLen(len(m.Data))/bytesPerPage)
}
