"""Every message, split at every byte, gives the same answers."""

import queuecase
import resp
import taptest


class Split(queuecase.QueueCase):
    """Answers are compared as bytes. What the first part brings is read before the second comes."""

    def setUp(self):
        self.start('match "full" { max_items = 1 overflow = block }',
                   max_items=100, max_item_bytes="1KiB", max_request_bytes="4KiB")
        self.leases = 0
        self.client.call("RPUSH", "cost", "")
        self.cost, = self.figures("bytes", queue="cost")

    def dialogue(self):
        """Requests and their answers; it leaves the queues as it found them."""
        lease = self.leases + 1
        return (
            (resp.encode("RPUSH", "q", "a", "", "c\r\nd", "e"), b":4\r\n"),
            (b"blpop q 0\r\n", b"*2\r\n$1\r\nq\r\n$1\r\na\r\n"),
            (resp.encode("BLMPOP", 0, 1, "q", "RIGHT"), b"*2\r\n$1\r\nq\r\n*1\r\n$1\r\ne\r\n"),
            (resp.encode("BLMOVE", "q", "r", "RIGHT", "LEFT", 0), b"$4\r\nc\r\nd\r\n"),
            (resp.encode("QTAKE", "q", 9, 0, 60), b"*1\r\n*3\r\n:%d\r\n$0\r\n\r\n:1\r\n" % lease),
            (resp.encode("QACK", "q", lease), b":1\r\n"),
            (b"MULTI\r\n", b"+OK\r\n"),
            (resp.encode("LPUSH", "full", "x"), b"+QUEUED\r\n"),
            (b"rpush full \"\\x79\"\r\n", b"+QUEUED\r\n"),
            (resp.encode("EXEC"), b"*2\r\n:1\r\n" + self.full()),
            # They wait, one this time, one the next.
            (resp.encode("BRPUSH", "full", "z", "0.001"), b"$-1\r\n") if lease % 2 == 0 else
            (resp.encode("BLPOP", "q", "0.001"), b"*-1\r\n"),
            (resp.encode("QUERY"), b"-ERR unknown command 'QUERY', with args beginning with: \r\n"),
            (resp.encode("RPUSH", "q", "x" * 4200),
             b"-TOOBIG request is over max_request_bytes\r\n"),
            (b"\r\n*0\r\n", b""),
            (resp.encode("HELLO", 3, "SETNAME", "split"), None),
            (resp.encode("LPOP", "none"), b"_\r\n"),
            (resp.encode("HELLO", 2), None),
            (resp.encode("DEL", "q", "r", "full"), b":2\r\n"),
            (b"PING\n", b"+PONG\r\n"))

    def full(self):
        return f"-FULL queue 'full' holds 1/1 items, {self.cost + 1}/67108864 bytes\r\n".encode()

    def assert_answers(self, client, dialogue, how):
        for request, answer in dialogue:
            if answer is None:
                client.read()
            else:
                found = client.input.read(len(answer))
                self.assertEqual(found, answer, f"{how}: {request[:100]}")

    def test_every_place(self):
        client = self.connect(queuecase.UNIX)
        at = 0
        while True:
            dialogue = self.dialogue()
            whole = b"".join(request for request, _ in dialogue)
            at = self.next_place(dialogue, at)
            if at >= len(whole):
                break
            client.send(whole[:at])
            client.wait_taken()
            client.send(whole[at:])
            self.assert_answers(client, dialogue, f"split at {at}")
            self.leases += 1
        self.assertGreater(self.leases, 500)
        self.assertEqual(client.unread(), 0)
        self.assert_conserved("q", "r", "full")

    def next_place(self, dialogue, at):
        """The next byte; deep inside the large request places are alike: one in 500 will do."""
        start = 0
        for request, _ in dialogue:
            if start + 60 < at < start + len(request) - 520:
                return at + 500
            start += len(request)
        return at + 1

    def test_byte_by_byte(self):
        client = self.connect(queuecase.UNIX)
        dialogue = self.dialogue()
        for request, answer in dialogue:
            for i in range(len(request)):
                client.send(request[i:i + 1])
                client.wait_taken()
            self.assert_answers(client, [(request, answer)], "byte by byte")


if __name__ == "__main__":
    taptest.run()
