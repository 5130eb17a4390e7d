package main

import (
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// regions are real ones to a server that is killed, and outlive it: the runtime of
// Bedrock in each region, below /{region}/, as far as plain conversations go. They know
// the call of each request by the id that SDKs send with all attempts of one.
type regions struct {
	url    string
	server *http.Server
	pace   time.Duration // of the events of an answer
	long   time.Duration // that slow regions wait before it

	mu       sync.Mutex
	rand     *rand.Rand
	reached  map[string]int // requests by the id of their call
	nameless int            // requests without one
}

// listenRegions opens the regions on loopback; the seed decides which requests fail.
func listenRegions(seed uint64, pace, long time.Duration) (*regions, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &regions{
		url: "http://" + l.Addr().String(), pace: pace, long: long,
		rand: rand.New(rand.NewPCG(seed, 1<<61)), reached: map[string]int{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{region}/model/{model}/{operation}", r.answer)
	r.server = &http.Server{Handler: mux}
	go r.server.Serve(l)
	return r, nil
}

// told is what reached the regions, of all requests that have come.
func (r *regions) told() (reached map[string]int, nameless int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.reached), r.nameless
}

// nature is how a region treats its share of the requests; the others it answers.
type nature struct {
	fault string // slow, throttle, 5xx or cut
	share float64
}

// natures are those of the regions that calls enter in. All others are well.
var natures = map[string]nature{
	"ap-northeast-1": {"slow", 0.3},
	"ap-northeast-2": {"5xx", 0.5},
	"ap-south-1":     {"cut", 0.5},
	"ap-southeast-2": {"throttle", 0.3},
}

// note takes down a request, and draws what becomes of it.
func (r *regions) note(id, region string) (fault string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id == "" {
		r.nameless++
	} else {
		r.reached[id]++
	}
	if n := natures[region]; r.rand.Float64() < n.share {
		return n.fault
	}
	return ""
}

// answer is one request of a call.
func (r *regions) answer(w http.ResponseWriter, req *http.Request) {
	fault := r.note(req.Header.Get("Amz-Sdk-Invocation-Id"), req.PathValue("region"))
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the server has gone
	}
	spoken, err := reply(body)
	switch {
	case err != nil:
		refuse(w, http.StatusBadRequest, "ValidationException", err.Error())
	case fault == "throttle":
		refuse(w, http.StatusTooManyRequests, "ThrottlingException", "Too many requests, please wait before trying again.")
	case fault == "5xx":
		refuse(w, http.StatusServiceUnavailable, "ServiceUnavailableException", "Bedrock is unable to process your request.")
	default:
		if fault == "slow" {
			time.Sleep(r.long)
		}
		r.tell(w, spoken, req.PathValue("operation"), strings.Contains(req.PathValue("model"), "anthropic."), fault == "cut")
	}
}

func refuse(w http.ResponseWriter, status int, exception, message string) {
	w.Header().Set("X-Amzn-Errortype", exception)
	w.WriteHeader(status)
	w.Write(encode(object{"message": message}))
}

// tell answers an operation; a stream that is cut ends in the middle, other answers
// that are do not begin.
func (r *regions) tell(w http.ResponseWriter, s *said, operation string, claude, cut bool) {
	if !strings.HasSuffix(operation, "stream") {
		time.Sleep(time.Duration(len(s.words)) * r.pace)
		if cut {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("X-Amzn-Bedrock-Input-Token-Count", fmt.Sprint(s.input))
		w.Header().Set("X-Amzn-Bedrock-Output-Token-Count", fmt.Sprint(s.output))
		w.Write(encode(s.whole(operation, claude)))
		return
	}
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	frames := s.frames(operation, claude)
	for i, frame := range frames {
		if cut && i > len(frames)/2 {
			panic(http.ErrAbortHandler)
		}
		if _, err := w.Write(frame); err != nil {
			return // the server has gone
		}
		http.NewResponseController(w).Flush()
		time.Sleep(r.pace)
	}
}
