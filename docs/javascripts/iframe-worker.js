// Browsers start no worker from a file on disk. There, a hidden frame runs the script of the search instead.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      this.frame = document.createElement("iframe")
      this.frame.hidden = true
      this.ready = new Promise(done => { this.frame.onload = done })
      this.frame.srcdoc =
        "<script>self.postMessage = data => parent.postMessage(data, '*')</script>" +
        `<script src="${new URL(url, location.href)}"></script>`
      document.body.append(this.frame)
      window.addEventListener("message", event => {
        if (event.source !== this.frame.contentWindow) return
        const message = new MessageEvent("message", { data: event.data })
        this.dispatchEvent(message)
        if (this.onmessage) this.onmessage(message)
      })
    }
    postMessage(data) {
      this.ready.then(() => {
        this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data }))
      })
    }
    terminate() { this.frame.remove() }
  }
}
