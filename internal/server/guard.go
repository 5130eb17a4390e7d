package server

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"fairway/internal/front"
)

// guard answers CORS preflights and refuses requests that a foreign web page
// made a browser send: a Host that is not ours (DNS rebinding) or an Origin that
// is not allowed. Programs send no Origin and are not affected.
type guard struct {
	next    http.Handler
	hosts   []string // besides loopback names and Bedrock's own endpoints
	origins func() []string
	local   bool // pages on this machine may call too
}

// allowedHeaders are what aws-amplify and the SDKs of AWS, Anthropic and OpenAI send
// from a browser.
const allowedHeaders = "authorization, content-type, x-api-key, x-amz-date, x-amz-security-token, x-amz-user-agent, " +
	"x-amz-target, x-amz-content-sha256, amz-sdk-invocation-id, amz-sdk-request, cache-control, pragma, accept, " +
	"x-amzn-bedrock-accept, x-amzn-bedrock-trace, x-amzn-bedrock-guardrailidentifier, x-amzn-bedrock-guardrailversion, " +
	"anthropic-version, anthropic-beta, anthropic-dangerous-direct-browser-access, " +
	"x-stainless-arch, x-stainless-helper-method, x-stainless-lang, x-stainless-os, x-stainless-package-version, " +
	"x-stainless-retry-count, x-stainless-runtime, x-stainless-runtime-version, x-stainless-timeout, " +
	"x-fairway-policy, x-fairway-session, x-fairway-on-cut, x-fairway-cost, x-fairway-trace"

const exposedHeaders = "x-amzn-requestid, x-amzn-errortype, request-id, x-request-id, x-amzn-bedrock-input-token-count, " +
	"x-amzn-bedrock-output-token-count, x-fairway-entry-region, x-fairway-attempts, " +
	"x-fairway-destination-region, x-fairway-simulated, x-fairway-cost-usd, x-fairway-budget, retry-after, x-should-retry"

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !isProbe(r) && !g.knownHost(r.Host) {
		refuse(w, "the Host "+r.Host+" is not this server: ask it by its own address, or name it in base_url")
		return
	}
	if origins := r.Header.Values("Origin"); len(origins) > 0 {
		origin := origins[0]
		if len(origins) > 1 || !g.allowedOrigin(origin) {
			refuse(w, "the origin "+origin+" is not allowed: add it to cors.origins")
			return
		}
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", origin)
		h.Add("Vary", "Origin")
		h.Set("Access-Control-Expose-Headers", exposedHeaders)
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE")
			h.Set("Access-Control-Allow-Headers", allowedHeaders)
			h.Set("Access-Control-Max-Age", "600")
			w.WriteHeader(http.StatusNoContent)
			return
		}
	}
	g.next.ServeHTTP(w, r)
}

// isProbe reports whether r only asks how the server is, which orchestrators do by
// whatever name they have for it.
func isProbe(r *http.Request) bool {
	return r.Method == http.MethodGet && (r.URL.Path == "/healthz" || r.URL.Path == "/readyz")
}

func (g *guard) knownHost(hostport string) bool {
	host := hostname(hostport)
	// An address is nobody's name: rebinding needs one.
	// The service's own come through a proxy or a hosts file.
	return net.ParseIP(host) != nil || loopbackName(host) || slices.Contains(g.hosts, host) || front.HostRegion(host) != ""
}

func (g *guard) allowedOrigin(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return false // also "null", the origin of a sandboxed page
	}
	return g.local && loopbackName(u.Hostname()) || slices.Contains(g.origins(), origin)
}

func hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	return strings.ToLower(host)
}

// loopbackName reports whether host can only mean this machine.
func loopbackName(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// operator keeps pages away: what they ask for comes with this machine's address, and
// a form needs nobody's leave to be sent. A page of the server itself may ask.
func (s *Server) operator(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if origin := r.Header.Get("Origin"); origin != "" && origin != s.baseURL {
			refuse(w, "the admin API answers no page of "+origin)
			return
		}
		next(w, r)
	}
}

// local lets only this machine in.
func local(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !loopbackName(hostname(r.RemoteAddr)) {
			refuse(w, "the admin API is open to this machine only")
			return
		}
		next(w, r)
	}
}

func refuse(w http.ResponseWriter, why string) {
	writeError(w, http.StatusForbidden, "refused: "+why)
}
