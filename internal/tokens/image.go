package tokens

import (
	"encoding/base64"
	stdimage "image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"

	"fairway/internal/dialect/anthropic"
)

// An image costs a token for each 750 pixels; larger ones are scaled down to
// about 1,600 tokens first (Anthropic, "Vision").
const (
	pixelsPerToken = 750
	imageCap       = 1_600
)

// image estimates an image's tokens by the dimensions in its header. Where those
// are not at hand (another source than base64, WebP, a broken header) it is the cap.
func image(s *anthropic.Source) int {
	width, height, ok := dimensions(s)
	if !ok {
		return imageCap
	}
	return max(1, int(min(int64(width)*int64(height)/pixelsPerToken, imageCap)))
}

func dimensions(s *anthropic.Source) (width, height int, ok bool) {
	var decode func(io.Reader) (stdimage.Config, error)
	switch s.MediaType {
	case "image/png":
		decode = png.DecodeConfig
	case "image/jpeg":
		decode = jpeg.DecodeConfig
	case "image/gif":
		decode = gif.DecodeConfig
	default:
		return 0, 0, false
	}
	c, err := decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(s.Data)))
	return c.Width, c.Height, err == nil
}

// A PDF page costs 1,500 to 3,000 tokens (Anthropic, "PDF support"). How many
// pages there are is guessed by size; that figure is ours.
const (
	tokensPerPage = 2_000
	bytesPerPage  = 50_000
)

func document(s *anthropic.Source) int {
	return tokensPerPage * (1 + base64.StdEncoding.DecodedLen(len(s.Data))/bytesPerPage)
}
