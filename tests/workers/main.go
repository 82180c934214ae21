// SPDX-License-Identifier: ISC

// A Go net/http server: main SOCKET|FD. The paths are those of vyx-hello(1),
// /pid beside.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func answer(w http.ResponseWriter, r *http.Request) {
	part := strings.Split(r.URL.Path, "/")
	switch part[1] {
	case "echo":
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.Write(body)
	case "headers":
		for k, v := range r.Header {
			fmt.Fprintf(w, "%s: %s\n", strings.ToLower(k), v[0])
		}
	case "sleep":
		ms, _ := strconv.Atoi(part[2])
		time.Sleep(time.Duration(ms) * time.Millisecond)
		fmt.Fprintln(w, "hello from go")
	case "pid":
		fmt.Fprintln(w, os.Getpid(), os.Getuid())
	default:
		fmt.Fprintln(w, "hello from go")
	}
}

func main() {
	var l net.Listener
	fd, err := strconv.Atoi(os.Args[1])
	if err == nil {
		l, err = net.FileListener(os.NewFile(uintptr(fd), "socket"))
	} else {
		l, err = net.Listen("unix", os.Args[1])
	}
	if err != nil {
		log.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(answer)}
	stop, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		<-stop.Done()
		s.Shutdown(context.Background())
		close(done)
	}()
	if err = s.Serve(l); err != http.ErrServerClosed {
		log.Fatal(err)
	}
	<-done
}
