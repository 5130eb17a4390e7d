package openai

import (
	"encoding/json"
	"slices"
	"strings"

	"fairway/internal/dialect"
)

// readContent reads a message's content: a string, or parts of the types that the
// message may have.
func readContent(path string, content json.RawMessage, types ...string) ([]dialect.Block, error) {
	switch content[0] {
	case '"':
		return []dialect.Block{{Type: dialect.Text, Text: unquote(content)}}, nil
	case '[':
	default:
		return nil, refuseType(path, "one of a string or array of objects", content)
	}
	var blocks []dialect.Block
	err := list(path, content, func(path string, element json.RawMessage) error {
		block, err := readPart(path, element, types)
		blocks = append(blocks, block)
		return err
	})
	if err == nil && len(blocks) == 0 {
		err = refuse(path, "empty_array", "Invalid '"+path+"': empty array. Expected an array with minimum length 1, but got an empty array instead.")
	}
	return blocks, err
}

// part is a content part; the type says which member counts.
type part struct {
	kind                  string
	text, refusal         *string
	imageURL, audio, file json.RawMessage
}

func readPart(path string, object json.RawMessage, types []string) (dialect.Block, error) {
	var p part
	err := fields{
		"type": &p.kind, "text": &p.text, "refusal": &p.refusal,
		"image_url": &p.imageURL, "input_audio": &p.audio, "file": &p.file,
	}.read(path, object)
	switch {
	case err != nil:
		return dialect.Block{}, err
	case p.kind == "":
		return dialect.Block{}, refuseMissing(path + ".type")
	case !slices.Contains(types, p.kind):
		return dialect.Block{}, refuseValue(path+".type", p.kind, types...)
	}
	switch p.kind {
	case "text":
		return textBlock(path+".text", p.text)
	case "refusal":
		return textBlock(path+".refusal", p.refusal)
	case "image_url":
		return readImage(path+".image_url", p.imageURL)
	case "input_audio":
		return readAudio(path+".input_audio", p.audio)
	default:
		return readFile(path+".file", p.file)
	}
}

func textBlock(path string, text *string) (dialect.Block, error) {
	if text == nil {
		return dialect.Block{}, refuseMissing(path)
	}
	return dialect.Block{Type: dialect.Text, Text: *text}, nil
}

func readImage(path string, object json.RawMessage) (dialect.Block, error) {
	if object == nil {
		return dialect.Block{}, refuseMissing(path)
	}
	var url string
	if err := (fields{"url": &url, "detail": only{"auto"}}).read(path, object); err != nil {
		return dialect.Block{}, err
	}
	path += ".url"
	if strings.HasPrefix(url, "https://") {
		return dialect.Block{Type: dialect.Image, Media: &dialect.Media{URI: url}}, nil
	}
	media, data, ok := readDataURL(url)
	if !ok {
		return dialect.Block{}, refuse(path, "invalid_value", "Invalid value for '"+path+"': expected a base64-encoded data URL or an https URL.")
	}
	format, ok := strings.CutPrefix(media, "image/")
	if !ok || !slices.Contains(imageFormats, format) {
		return dialect.Block{}, refuseValue(path, media, "image/png", "image/jpeg", "image/gif", "image/webp")
	}
	return dialect.Block{Type: dialect.Image, Media: &dialect.Media{Format: format, Data: data}}, nil
}

var imageFormats = []string{"png", "jpeg", "gif", "webp"}

func readAudio(path string, object json.RawMessage) (dialect.Block, error) {
	if object == nil {
		return dialect.Block{}, refuseMissing(path)
	}
	var m dialect.Media
	if err := (fields{"data": &m.Data, "format": &m.Format}).read(path, object); err != nil {
		return dialect.Block{}, err
	}
	switch {
	case !slices.Contains(audioFormats, m.Format):
		return dialect.Block{}, refuseValue(path+".format", m.Format, audioFormats...)
	case !dialect.IsBase64(m.Data):
		return dialect.Block{}, refuse(path+".data", "invalid_value", "Invalid value for '"+path+".data': expected base64-encoded audio.")
	}
	return dialect.Block{Type: dialect.Audio, Media: &m}, nil
}

var audioFormats = []string{"wav", "mp3"}

// readFile reads a document that is in the message; one that was uploaded before
// is not here.
func readFile(path string, object json.RawMessage) (dialect.Block, error) {
	if object == nil {
		return dialect.Block{}, refuseMissing(path)
	}
	var url, name string
	if err := (fields{"file_data": &url, "filename": &name, "file_id": only{}}).read(path, object); err != nil {
		return dialect.Block{}, err
	}
	media, data, ok := readDataURL(url)
	if !ok {
		return dialect.Block{}, refuse(path+".file_data", "invalid_value", "Invalid value for '"+path+".file_data': expected a base64-encoded data URL.")
	}
	for format, known := range documentTypes {
		if known == media {
			return dialect.Block{Type: dialect.Document, Media: &dialect.Media{Format: format, Name: strings.TrimSuffix(name, "."+format), Data: data}}, nil
		}
	}
	return dialect.Block{}, refuse(path+".file_data", "invalid_value", "Invalid value for '"+path+".file_data': unsupported MIME type '"+clip(media)+"'.")
}

// documentTypes are the media types of Converse's document formats.
var documentTypes = map[string]string{
	"pdf":  "application/pdf",
	"csv":  "text/csv",
	"doc":  "application/msword",
	"docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"xls":  "application/vnd.ms-excel",
	"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"html": "text/html",
	"txt":  "text/plain",
	"md":   "text/markdown",
}

// readDataURL takes "data:MEDIA;base64,DATA" apart.
func readDataURL(url string) (media, data string, ok bool) {
	head, data, found := strings.Cut(url, ",")
	media, isData := strings.CutPrefix(head, "data:")
	media, isBase := strings.CutSuffix(media, ";base64")
	return media, data, found && isData && isBase && dialect.IsBase64(data)
}
