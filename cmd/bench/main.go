// Command bench measures Tacet beside a bare net/http server and prints the ratios.
//
//	bench -server .build/tacet                     the table of docs/design/performance.md
//	bench -server .build/tacet -scale              1,000 to 1,000,000 secrets
//	bench -server .build/tacet -questions          who-can, can and why at scale
//	bench -server .build/tacet -postgres URL       on PostgreSQL too
//	bench -server .build/tacet -profile cpu.prof   where the time of a read goes
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"

	"tacet/internal/bench"
)

func main() {
	if len(os.Args) == 4 && os.Args[1] == "bare" {
		if err := bare(os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, "bench bare:", err)
			os.Exit(1)
		}
		return
	}
	var p bench.Plan
	flag.StringVar(&p.Binary, "server", ".build/tacet", "the tacet binary")
	flag.StringVar(&p.Postgres, "postgres", os.Getenv("TACET_TEST_POSTGRES"), "PostgreSQL URL; empty leaves that engine out")
	flag.IntVar(&p.Secrets, "secrets", 10000, "how many secrets")
	flag.IntVar(&p.ValueBytes, "value", 1024, "bytes of a value")
	flag.IntVar(&p.Rounds, "rounds", 3, "rounds of each figure; the median is printed")
	flag.DurationVar(&p.Duration, "duration", 2e9, "length of a round")
	flag.StringVar(&p.Only, "only", "", "one operation alone, with what is compared with it: GetSecretValue, GetSecretValue/1policy, …")
	flag.IntVar(&p.Conns, "conns", 0, "one number of connections alone")
	flag.StringVar(&p.Profile, "profile", "", "write a CPU profile of the server under one load to this file")
	scale := flag.Bool("scale", false, "measure growth instead")
	questions := flag.Bool("questions", false, "measure who-can, can and why instead")
	flag.IntVar(&p.Records, "records", 1000000, "how many records there are for -questions")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := p.Run
	switch {
	case *questions:
		run = p.RunQuestions
	case *scale:
		run = p.RunScale
	case p.Profile != "":
		run = p.RunProfile
	}
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bare(addr, valueBytes string) error {
	n, err := strconv.Atoi(valueBytes)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return bench.ServeBare(l, n)
}
