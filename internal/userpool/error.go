package userpool

import "fmt"

// Kind is an exception of Cognito by its name.
type Kind string

// The exceptions that a pool answers with (Amazon Cognito user pools API Reference).
// All of them are answered with the HTTP status 400, but for InternalError.
const (
	AliasExists           Kind = "AliasExistsException"
	CodeDeliveryFailure   Kind = "CodeDeliveryFailureException"
	CodeMismatch          Kind = "CodeMismatchException"
	EnableSoftwareToken   Kind = "EnableSoftwareTokenMFAException"
	ExpiredCode           Kind = "ExpiredCodeException"
	InternalError         Kind = "InternalErrorException"
	InvalidParameter      Kind = "InvalidParameterException"
	InvalidPassword       Kind = "InvalidPasswordException"
	LimitExceeded         Kind = "LimitExceededException"
	NotAuthorized         Kind = "NotAuthorizedException"
	PasswordResetRequired Kind = "PasswordResetRequiredException"
	RefreshTokenReuse     Kind = "RefreshTokenReuseException"
	ResourceNotFound      Kind = "ResourceNotFoundException"
	SoftwareTokenNotFound Kind = "SoftwareTokenMFANotFoundException"
	TooManyFailed         Kind = "TooManyFailedAttemptsException"
	TooManyRequests       Kind = "TooManyRequestsException"
	UnsupportedOperation  Kind = "UnsupportedOperationException"
	UnsupportedTokenType  Kind = "UnsupportedTokenTypeException"
	UserNotConfirmed      Kind = "UserNotConfirmedException"
	UserNotFound          Kind = "UserNotFoundException"
	UsernameExists        Kind = "UsernameExistsException"
)

// Error is what a pool's operations fail with. Message is what the client reads, in
// Cognito's words where they are known; Err is the operator's.
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

func refuse(kind Kind, message string) *Error { return &Error{Kind: kind, Message: message} }
