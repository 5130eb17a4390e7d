// Package continuation goes on with an answer whose target died in the middle, so that
// the caller sees one answer without a seam.
//
//	first target:   Follow -> Sent, Sent, Sent ... it breaks off
//	                Cut    -> the request that another target is to answer
//	other target:   Join, Join ... -> what the caller is sent for its events
//	                (which may break off too: Cut, Join, ...)
//
// Where the model takes an assistant prefill, the text so far is handed over as the
// last message, of which the model writes the rest; where the request is one prompt, it
// is put behind that. White space at its end is taken off, since Anthropic refuses it,
// and again off the rest, which begins with it.
//
// A model that takes no prefill can only be told in words, if the route allows it: the
// text so far is an assistant's message, and a user's message follows it in the words
// of Anthropic's guide for moving to Claude 4.6: "Your previous response was interrupted
// and ended with `...`. Continue from where you left off." Such a model may begin anew
// or repeat itself: the answer is well formed, but the seam may show.
//
// Only text is gone on with. An answer that has begun a tool call or to think, or that
// has to be JSON or a tool call, cannot be: half a call is none, and what comes of
// thinking is signed. Nor can one of which Bedrock tells more than a [dialect.Answer]
// holds, such as what a guardrail found.
//
// Each leg may write what the request's limit leaves: its tokens less those that the
// text so far has behind the caller's own prefill or prompt. A simulated model counts
// in the same way, so that its answer ends at the same letter however often it broke
// off.
//
// What cannot hold exactly: a real model counts by a tokenizer of its own, of which
// package tokens is an estimate, so that its answer may end some per cent before or
// beyond its limit, and parts a text behind a seam otherwise than in one piece; where a
// request sets no limit each leg has the model's own; and the latency told at the end is
// the last leg's.
package continuation

import (
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
	"fairway/internal/tokens"
)

// Continuer follows answers. It is safe for concurrent use.
type Continuer struct {
	// Models is the catalog's view of a model.
	Models func(inference.ModelID) (inference.Model, bool)
}

// Follow begins to watch the answer of model to r; nil where it could not be gone on
// with: one that is no stream, or of a model that takes neither a prefill nor, without
// instruct, words. The body is not read before the answer breaks off, since few do.
func (c Continuer) Follow(r *inference.Request, model inference.ModelID, instruct bool) *Thread {
	known, ok := c.Models(model)
	if !ok || !r.Operation.Streams() {
		return nil
	}
	form, err := invocation.Of(r.Operation, model)
	if err != nil {
		return nil
	}
	reader, err := invocation.Read(r.Operation, model)
	if err != nil {
		return nil
	}
	body, ok := shapeOf(form.Dialect())
	takes := known.Prefill || body.prompt != ""
	if !ok || !takes && !instruct {
		return nil
	}
	return &Thread{
		request: r, model: model, form: form, shape: body, instruct: !takes,
		family: tokens.FamilyOf(model), leg: leg{reader: reader},
	}
}
