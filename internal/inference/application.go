package inference

import (
	"strings"
	"time"
)

// Application is an application inference profile as it was created: a name and
// tags for what it copies, which never changes.
type Application struct {
	ID          string // twelve lower-case letters and digits
	Account     string // twelve digits
	Region      Region // the one source region it can be called from
	Name        string // unique in its account and region
	Description string
	CopiedFrom  ARN    // of a foundation model or a system-defined profile
	Token       string // the caller's clientRequestToken, unique in its account and region; may be empty
	Tags        map[string]string
	Created     time.Time
	Updated     time.Time // when its tags last changed
}

// ARN is the profile's Amazon Resource Name.
func (a Application) ARN() ARN { return ApplicationARN(a.Region, a.Account, a.ID) }

// ApplicationARN is an application inference profile's ARN.
func ApplicationARN(region Region, account, id string) ARN {
	return ARN("arn:aws:bedrock:" + string(region) + ":" + account + ":application-inference-profile/" + id)
}

// IsApplicationID reports whether id has the form of an application inference
// profile's, such as "hq2of259skzs".
func IsApplicationID(id string) bool {
	return len(id) == 12 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}
