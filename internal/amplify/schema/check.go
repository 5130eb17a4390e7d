package schema

import (
	"encoding/json"
	"slices"
	"strings"
)

// checkOperation refuses what the builder refuses before it prints an operation.
func (p *processor) checkOperation(name string, n *node, rules []rule) error {
	if n.Operation != "Generation" && (len(rules) > 0) != (len(n.Handlers) > 0) {
		return fail(n.At, "Custom operation %s requires both an authorization rule and a handler reference", name)
	}
	if n.Operation == "Generation" && (n.Route == nil || n.Route.Model == "undefined") {
		return fail(n.At, "Invalid Generation Route definition. A Generation Route must include a valid input. %s has an invalid or no input defined.", name)
	}
	if err := checkHandlers(name, n); err != nil {
		return err
	}
	if n.Operation == "Subscription" {
		return p.checkSubscription(name, n)
	}
	if n.Returns == nil && !n.answersEvent() {
		description := "Custom " + n.Operation
		if n.Operation == "Generation" {
			description = "Generation Route"
		}
		return fail(n.At, "Invalid %s definition. A %s must include a return type. %s has no return type specified.", description, description, name)
	}
	if len(n.Sources) > 0 {
		return fail(n.At, "The .for() modifier function can only be used with a custom subscription. %s is not a custom subscription.", name)
	}
	return nil
}

// checkHandlers wants handlers of one kind; functions mix with asynchronous ones.
func checkHandlers(name string, n *node) error {
	var kinds, others []string
	for _, h := range n.Handlers {
		if !slices.Contains(handlerKinds, h.Kind) {
			return fail(n.At, "handler of %s is none: make it with a.handler.custom, a.handler.function or a.handler.inlineSql", name)
		}
		brand := h.Kind + "Handler"
		if h.Kind == handlerInlineSQL || h.Kind == handlerSQLReference {
			brand = h.Kind
		}
		kinds = appendNew(kinds, brand)
		if h.Kind != handlerFunction && h.Kind != handlerAsync {
			others = appendNew(others, brand)
		}
	}
	if len(kinds) > 1 && len(others) > 0 {
		names, err := json.Marshal(others)
		if err != nil {
			return err
		}
		return fail(n.At, "Field handlers must be of the same type. %s has been configured with %s", name, names)
	}
	return nil
}

// checkSubscription wants mutations that return one type.
func (p *processor) checkSubscription(name string, n *node) error {
	if len(n.Sources) == 0 {
		return fail(n.At, "%s is missing a mutation source. Custom subscriptions must reference a mutation source via subscription().for(a.ref('ModelOrOperationName')) ", name)
	}
	var expected *node
	for i := range n.Sources {
		result, err := p.published(name, &n.Sources[i])
		if err != nil {
			return err
		}
		if expected == nil {
			expected = result
		}
		if expected != result {
			return fail(n.At, "Invalid subscription definition. .for() can only reference resources that have the same return type. %s is referencing resources that have different return types.", name)
		}
	}
	return nil
}

// published is the type that a subscription's source publishes.
func (p *processor) published(name string, source *node) (*node, error) {
	target, err := p.target(source, name)
	if err != nil {
		return nil, err
	}
	if target.Kind == kindModel {
		if len(source.Mutations) == 0 {
			return nil, fail(source.At, "Invalid subscription definition. .mutations() modifier must be used with a Model ref subscription source. %s is referencing %s without specifying a mutation", name, source.Type)
		}
		return target, nil
	}
	if len(source.Mutations) > 0 {
		return nil, fail(source.At, "Invalid subscription definition. .mutations() modifier can only be used with a Model ref. %s is referencing %s", name, target.title())
	}
	if target.Kind != kindOperation || target.Operation != "Mutation" {
		what := target.title()
		if target.Kind == kindOperation {
			what = target.Operation
		}
		return nil, fail(source.At, "Invalid subscription definition. .for() can only reference a mutation. %s is referencing %s which is a %s", name, source.Type, what)
	}
	result := target.Returns
	if result == nil && !target.answersEvent() {
		return nil, fail(target.At, "Invalid Custom Mutation definition. A Custom Mutation must include a return type. %s has no return type specified.", source.Type)
	}
	if result != nil && result.Kind == kindRef {
		return p.target(result, name)
	}
	return result, nil
}

// title is the kind as the builder's messages name it.
func (n *node) title() string {
	switch n.Kind {
	case kindOperation:
		return "CustomOperation"
	default:
		return capital(strings.TrimSpace(n.Kind))
	}
}
