package openai

import (
	"context"
	"errors"

	"fairway/internal/dialect"
	"fairway/internal/dialect/openai"
	"fairway/internal/inference"
)

// model is a model as the API shows it.
type model struct {
	ID      string `json:"id"`
	Object  string `json:"object"` // "model"
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

type modelList struct {
	Object string  `json:"object"` // "list"
	Data   []model `json:"data"`
}

func modelOf(e ModelEntry) model { return model{e.ID, "model", e.Created, e.OwnedBy} }

// listModels is GET /v1/models.
func (f *Front) listModels(ctx context.Context, c *call) error {
	entries, err := f.Models(ctx, c.visit.Principal, c.visit.Region)
	if err != nil {
		return err
	}
	list := modelList{"list", []model{}}
	for _, e := range entries {
		list.Data = append(list.Data, modelOf(e))
	}
	body, err := dialect.WriteBody(list)
	if err != nil {
		return err
	}
	return f.respond(c, body)
}

// retrieveModel is GET /v1/models/{id}.
func (f *Front) retrieveModel(ctx context.Context, c *call) error {
	entries, err := f.Models(ctx, c.visit.Principal, c.visit.Region)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.ID != c.named {
			continue
		}
		body, err := dialect.WriteBody(modelOf(e))
		if err != nil {
			return err
		}
		return f.respond(c, body)
	}
	return unknownModel(c.named, &inference.Error{Kind: inference.ResourceNotFound, Op: "retrieve model"})
}

// unknownModel words e as OpenAI does, where it is that there is no such model.
func unknownModel(named string, e *inference.Error) error {
	if e.Kind != inference.ResourceNotFound {
		return e
	}
	return &inference.Error{
		Kind: e.Kind, Op: e.Op,
		Message: "The model '" + clip(named) + "' does not exist or you do not have access to it.",
		Err:     errors.Join(&openai.ParameterError{Param: "model", Code: "model_not_found"}, e.Err),
	}
}
