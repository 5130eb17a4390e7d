package inference

import "time"

// TemporarySession is what temporary credentials are asked for: whom they speak for,
// and until when.
type TemporarySession struct {
	Principal string // by name
	ARN       ARN    // of the session, as it appears in denials
	Caller    Caller // the user behind it, zero when nobody is
	Session   Session
	Expires   time.Time
}

// TemporaryCredentials sign requests until they expire. Requests carry the session
// token.
type TemporaryCredentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
	Expires         time.Time
}
