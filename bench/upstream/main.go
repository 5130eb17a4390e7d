// Command upstream is a cheap mock of the OpenAI, Anthropic and Bedrock runtime
// HTTP APIs. It speaks HTTP/1.1 directly on TCP so that it costs little CPU next
// to the gateway under test.
//
//	POST /v1/chat/completions            OpenAI JSON, or SSE when the body has "stream":true
//	POST /v1/messages                    Anthropic JSON, or SSE when the body has "stream":true
//	POST /model/ID/invoke                Bedrock InvokeModel (Anthropic body)
//	POST /model/ID/converse              Bedrock Converse
//	POST /model/ID/converse-stream       Bedrock ConverseStream (AWS event-stream)
//	POST /model/ID/invoke-with-response-stream
//	GET  /_ctl?latency=1ms&chunks=20&interval=50ms&failpct=100&failcode=429&retryafter=1&hang=1
//	GET  /_stat
//
// Every streamed text delta holds "#<unix-nanoseconds>#" so that the load
// generator can measure the relay delay of each chunk.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"math/rand"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

type cfg struct {
	latency, interval time.Duration
	chunks            int
	failPct, failCode int
	retryAfter        int // seconds, of a request that fails; 0 does not say
	hang              int // 1 reads requests and answers none
}

var (
	cur                          atomic.Pointer[cfg]
	nReq, nStream, nFail, nOpen  atomic.Int64
	region                       string
	openaiJSON, anthJSON, cvJSON []byte
)

func main() {
	addr := flag.String("addr", "127.0.0.1:9100", "listen address")
	c := cfg{}
	flag.DurationVar(&c.latency, "latency", 0, "delay before the answer (or the first chunk)")
	flag.DurationVar(&c.interval, "interval", 20*time.Millisecond, "gap between chunks")
	flag.IntVar(&c.chunks, "chunks", 50, "chunks a stream")
	flag.IntVar(&c.failPct, "failpct", 0, "percent of requests that fail")
	flag.IntVar(&c.failCode, "failcode", 429, "status of a failed request")
	size := flag.Int("text", 1100, "bytes of answer text in a non-streamed answer")
	flag.StringVar(&region, "region", "ap-southeast-1", "region name put in the x-mock-region header")
	flag.Parse()
	cur.Store(&c)
	words := []string{"mix ", "the ", "rice ", "with ", "egg ", "and ", "fresh ", "basil ", "for ", "two ", "people. "}
	var sb strings.Builder
	for i := 0; sb.Len() < *size; i++ {
		sb.WriteString(words[i%len(words)])
	}
	text := sb.String()
	openaiJSON = []byte(`{"id":"chatcmpl-mock0000000000000000001","object":"chat.completion","created":1754850000,"model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":"` + text + `","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":42,"completion_tokens":210,"total_tokens":252,"prompt_tokens_details":{"cached_tokens":0}},"system_fingerprint":"fp_mock"}`)
	anthJSON = []byte(`{"id":"msg_bdrk_mock0000000001","type":"message","role":"assistant","model":"claude-sonnet-4-20250514","content":[{"type":"text","text":"` + text + `"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":42,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":210}}`)
	cvJSON = []byte(`{"metrics":{"latencyMs":1},"output":{"message":{"content":[{"text":"` + text + `"}],"role":"assistant"}},"stopReason":"end_turn","usage":{"inputTokens":42,"outputTokens":210,"totalTokens":252}}`)
	ln, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("mock upstream on %s, json %d/%d/%d bytes", *addr, len(openaiJSON), len(anthJSON), len(cvJSON))
	for {
		conn, err := ln.Accept()
		if err != nil {
			log.Fatal(err)
		}
		nOpen.Add(1)
		go func() { serve(conn); conn.Close(); nOpen.Add(-1) }()
	}
}

func serve(conn net.Conn) {
	br := bufio.NewReaderSize(conn, 4096)
	var body []byte
	out := make([]byte, 0, 4096)
	for {
		line, err := br.ReadSlice('\n')
		if err != nil {
			return
		}
		parts := strings.SplitN(strings.TrimRight(string(line), "\r\n"), " ", 3)
		if len(parts) < 3 {
			return
		}
		method, target := parts[0], parts[1]
		cl, chunked, closeIt := 0, false, strings.HasSuffix(parts[2], "1.0")
		for {
			h, err := br.ReadSlice('\n')
			if err != nil {
				return
			}
			h = bytes.TrimRight(h, "\r\n")
			if len(h) == 0 {
				break
			}
			k, v, _ := bytes.Cut(h, []byte(":"))
			v = bytes.TrimSpace(v)
			switch {
			case len(k) == 14 && bytes.EqualFold(k, []byte("content-length")):
				cl, _ = strconv.Atoi(string(v))
			case len(k) == 17 && bytes.EqualFold(k, []byte("transfer-encoding")):
				chunked = bytes.Contains(bytes.ToLower(v), []byte("chunked"))
			case len(k) == 10 && bytes.EqualFold(k, []byte("connection")):
				closeIt = closeIt || bytes.EqualFold(v, []byte("close"))
			case len(k) == 6 && bytes.EqualFold(k, []byte("expect")):
				io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
			}
		}
		body = body[:0]
		if chunked {
			for {
				l, err := br.ReadSlice('\n')
				if err != nil {
					return
				}
				n, err := strconv.ParseInt(strings.TrimSpace(string(l)), 16, 64)
				if err != nil {
					return
				}
				off := len(body)
				body = append(body, make([]byte, n)...)
				if _, err = io.ReadFull(br, body[off:]); err != nil {
					return
				}
				br.ReadSlice('\n')
				if n == 0 {
					break
				}
			}
		} else if cl > 0 {
			if cap(body) < cl {
				body = make([]byte, cl)
			}
			body = body[:cl]
			if _, err := io.ReadFull(br, body); err != nil {
				return
			}
		}
		c := cur.Load()
		if strings.HasPrefix(target, "/_") {
			conn.Write(ctl(target))
			continue
		}
		_ = method
		nReq.Add(1)
		if c.hang == 1 {
			io.Copy(io.Discard, br)
			return
		}
		if c.latency > 0 {
			time.Sleep(c.latency)
		}
		if c.failPct > 0 && rand.Intn(100) < c.failPct {
			nFail.Add(1)
			b := `{"message":"Too many requests, please wait before trying again.","error":{"message":"throttled","type":"rate_limit_error"}}`
			out = fmt.Appendf(out[:0], "HTTP/1.1 %d Mock\r\nContent-Type: application/json\r\nx-amzn-ErrorType: ThrottlingException\r\n%sContent-Length: %d\r\n\r\n%s", c.failCode, retryAfter(c.retryAfter), len(b), b)
			if _, err := conn.Write(out); err != nil || closeIt {
				return
			}
			continue
		}
		path, _, _ := strings.Cut(target, "?")
		stream := bytes.Contains(body, []byte(`"stream":true`)) || bytes.Contains(body, []byte(`"stream": true`))
		var js []byte
		kind := ""
		switch {
		case strings.HasSuffix(path, "/converse-stream"):
			kind = "cv"
		case strings.HasSuffix(path, "/invoke-with-response-stream"):
			kind = "inv"
		case strings.HasSuffix(path, "/converse"):
			js = cvJSON
		case strings.HasSuffix(path, "/invoke"):
			js = anthJSON
		case strings.HasSuffix(path, "/messages"):
			js = anthJSON
			if stream {
				kind = "anth"
			}
		case strings.HasSuffix(path, "/chat/completions"):
			js = openaiJSON
			if stream {
				kind = "oai"
			}
		default:
			out = append(out[:0], "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"...)
			conn.Write(out)
			continue
		}
		if kind == "" {
			out = append(out[:0], "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-amzn-RequestId: 7c0a1b7e-1111-4222-8333-444455556666\r\nX-Amzn-Bedrock-Input-Token-Count: 42\r\nX-Amzn-Bedrock-Output-Token-Count: 210\r\nx-mock-region: "...)
			out = append(out, region...)
			out = append(out, "\r\nContent-Length: "...)
			out = strconv.AppendInt(out, int64(len(js)), 10)
			out = append(out, "\r\n\r\n"...)
			out = append(out, js...)
			if _, err := conn.Write(out); err != nil || closeIt {
				return
			}
			continue
		}
		nStream.Add(1)
		if !streamOut(conn, kind, c) || closeIt {
			return
		}
	}
}

func retryAfter(seconds int) string {
	if seconds == 0 {
		return ""
	}
	return fmt.Sprintf("Retry-After: %d\r\n", seconds)
}

func streamOut(conn net.Conn, kind string, c *cfg) bool {
	ct := "text/event-stream"
	if kind == "cv" || kind == "inv" {
		ct = "application/vnd.amazon.eventstream"
	}
	buf := make([]byte, 0, 1024)
	buf = append(buf, "HTTP/1.1 200 OK\r\nContent-Type: "+ct+"\r\nCache-Control: no-cache\r\nx-mock-region: "+region+"\r\nTransfer-Encoding: chunked\r\n\r\n"...)
	var pl []byte
	put := func(p []byte) {
		buf = strconv.AppendInt(buf, int64(len(p)), 16)
		buf = append(buf, "\r\n"...)
		buf = append(buf, p...)
		buf = append(buf, "\r\n"...)
	}
	flush := func() bool { _, err := conn.Write(buf); buf = buf[:0]; return err == nil }
	ts := func() string { return "#" + strconv.FormatInt(time.Now().UnixNano(), 10) + "#" }
	switch kind {
	case "anth":
		put([]byte("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-sonnet-4\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":42,\"output_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"))
	case "cv":
		put(frame("messageStart", []byte(`{"p":"abcd","role":"assistant"}`)))
	}
	next := time.Now()
	for i := 0; i < c.chunks; i++ {
		if i > 0 && c.interval > 0 {
			next = next.Add(c.interval)
			if d := time.Until(next); d > 0 {
				time.Sleep(d)
			}
		}
		switch kind {
		case "oai":
			pl = append(pl[:0], `data: {"id":"chatcmpl-mock1","object":"chat.completion.chunk","created":1754850000,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":" word`+ts()+`"},"finish_reason":null}]}`+"\n\n"...)
			put(pl)
		case "anth":
			pl = append(pl[:0], "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" word"+ts()+"\"}}\n\n"...)
			put(pl)
		case "cv":
			put(frame("contentBlockDelta", []byte(`{"contentBlockIndex":0,"delta":{"text":" word`+ts()+`"},"p":"abcdefgh"}`)))
		case "inv":
			in := `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word` + ts() + `"}}`
			put(frame("chunk", []byte(`{"bytes":"`+base64.StdEncoding.EncodeToString([]byte(in))+`","p":"abc"}`)))
		}
		if !flush() {
			return false
		}
	}
	switch kind {
	case "oai":
		put([]byte(`data: {"id":"chatcmpl-mock1","object":"chat.completion.chunk","created":1754850000,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":42,"completion_tokens":50,"total_tokens":92}}` + "\n\ndata: [DONE]\n\n"))
	case "anth":
		put([]byte("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":50}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"))
	case "inv":
		stop := `{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":42,"outputTokenCount":50,"invocationLatency":5,"firstByteLatency":1}}`
		put(frame("chunk", []byte(`{"bytes":"`+base64.StdEncoding.EncodeToString([]byte(stop))+`","p":"abc"}`)))
	case "cv":
		put(frame("contentBlockStop", []byte(`{"contentBlockIndex":0,"p":"ab"}`)))
		put(frame("messageStop", []byte(`{"p":"ab","stopReason":"end_turn"}`)))
		put(frame("metadata", []byte(`{"metrics":{"latencyMs":5},"p":"ab","usage":{"inputTokens":42,"outputTokens":50,"totalTokens":92}}`)))
	}
	buf = append(buf, "0\r\n\r\n"...)
	return flush()
}

// frame builds one application/vnd.amazon.eventstream message.
func frame(event string, payload []byte) []byte {
	var h []byte
	hdr := func(k, v string) {
		h = append(h, byte(len(k)))
		h = append(h, k...)
		h = append(h, 7)
		h = binary.BigEndian.AppendUint16(h, uint16(len(v)))
		h = append(h, v...)
	}
	hdr(":event-type", event)
	hdr(":content-type", "application/json")
	hdr(":message-type", "event")
	total := 12 + len(h) + len(payload) + 4
	b := make([]byte, 0, total)
	b = binary.BigEndian.AppendUint32(b, uint32(total))
	b = binary.BigEndian.AppendUint32(b, uint32(len(h)))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	b = append(b, h...)
	b = append(b, payload...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

func ctl(target string) []byte {
	_, q, _ := strings.Cut(target, "?")
	v, _ := url.ParseQuery(q)
	n := *cur.Load()
	dur := func(k string, d *time.Duration) {
		if s := v.Get(k); s != "" {
			if x, err := time.ParseDuration(s); err == nil {
				*d = x
			}
		}
	}
	num := func(k string, d *int) {
		if s := v.Get(k); s != "" {
			if x, err := strconv.Atoi(s); err == nil {
				*d = x
			}
		}
	}
	dur("latency", &n.latency)
	dur("interval", &n.interval)
	num("chunks", &n.chunks)
	num("failpct", &n.failPct)
	num("failcode", &n.failCode)
	num("retryafter", &n.retryAfter)
	num("hang", &n.hang)
	cur.Store(&n)
	b := fmt.Sprintf(`{"latency":%q,"interval":%q,"chunks":%d,"failpct":%d,"failcode":%d,"requests":%d,"streams":%d,"failed":%d,"open":%d}`+"\n", n.latency, n.interval, n.chunks, n.failPct, n.failCode, nReq.Load(), nStream.Load(), nFail.Load(), nOpen.Load())
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(b), b)
}
