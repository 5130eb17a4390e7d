package identitypool

import "fmt"

// Kind is an exception of Amazon Cognito Federated Identities by its name.
type Kind string

// The exceptions that a pool answers with (Amazon Cognito Federated Identities API
// Reference).
const (
	InvalidConfiguration Kind = "InvalidIdentityPoolConfigurationException"
	InvalidParameter     Kind = "InvalidParameterException"
	NotAuthorized        Kind = "NotAuthorizedException"
	ResourceNotFound     Kind = "ResourceNotFoundException"
)

// Error is what a pool refuses a client with. Message is what the client reads, Err is
// the operator's. Every other error is not the client's fault.
type Error struct {
	Kind    Kind
	Message string
	Err     error
}

// Error is the operator's line.
func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: %s", e.Kind, e.Message)
	}
	return fmt.Sprintf("%s: %s: %v", e.Kind, e.Message, e.Err)
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

func refuse(kind Kind, message string) error { return &Error{Kind: kind, Message: message} }
