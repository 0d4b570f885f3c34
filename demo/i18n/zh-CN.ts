// 简体中文。
import type { Words } from "./en.ts";

export const zhCN: Words = {
  name: "简体中文",
  title: "fovea – 看 Transformer 在看什么",
  tagline: "输入一个句子，页面里的 Transformer 会读它；每个彩色方格表示一个词看另一个词看得有多重。",
  loading: (megabytes) => `正在加载模型（${megabytes} MB，仅一次）…`,
  scenes: {
    translation: {
      tab: "翻译",
      input: "英语",
      output: "法语",
      presets: { aligned: "每个法语词来自哪个英语词", neighbours: "相邻的词如何互看", written: "刚写下的内容" },
    },
    stories: { tab: "故事", input: "开头", output: "故事", presets: {} },
    folder: { tab: "你的模型", input: "文本", output: "输出", presets: {} },
  },
  kinds: { cross: "输出 → 输入", encoder: "输入 → 输入", decoder: "输出 → 输出" },
  about: {
    cross: "每一行是写出的词，每一列是读到的词。颜色越深，这个注意力头在写完该行的词之后看该列的词就越多。",
    encoder: "阅读时，输入中的词如何互相看。",
    decoder: "输出中的每个词如何回看前面的词；后面的词是看不到的。",
  },
  headName: (layer, head) => `第 ${layer} 层，第 ${head} 头`,
  allHeads: (count) => `全部 ${count} 个头`,
  scales: { "square root": "平方根", linear: "线性", logarithmic: "对数" },
  scale: "颜色标度",
  point: "指向一个方格即可读出它的权重。",
  weight: (query, key, weight) => `“${query}”看“${key}”的权重为 ${weight}`,
  beforeWriting: (next) => `，随后写出“${next}”`,
  lines: "谁在看谁",
  linesHint: "指向一个词，或点按以固定它。连线指向合占其 70% 注意力的词，线越粗权重越大。",
  honest: "注意力说明一个头从哪里读取信息，它本身并不是模型写出这些内容的原因。",
  examples: "示例",
  writing: { force: "自己输入输出文本", beams: "束宽", temperature: (value) => `温度 ${value}`, seed: "随机种子", sequence: "输出" },
  candidates: { title: "这里还可能写出什么", chosen: (text, share) => `模型写出了“${text}”，给它的概率为 ${share}。` },
  beams: {
    title: "束搜索",
    hint: "每一列是一步，每个方框是某一束的一个词元，最好的在上面。选择一个完成的句子即可看到它自己的注意力。",
    node: (text, score) => `“${text}”，得分 ${score}`,
  },
  switches: {
    off: "关闭这个头",
    on: "打开这个头",
    reset: (count) => (count === 1 ? "重新打开另一个头" : `重新打开全部 ${count} 个头`),
    change: "显示变化",
    before: "所有头都打开时：",
    same: "与所有头都打开时相同：",
  },
  compare: { start: "与另一段文本比较", label: "另一段文本，它的注意力会被减去", stop: "停止比较" },
  folder: {
    about:
      "把 Hugging Face Hub 上一个检查点的文件夹拖到本页：config.json、model.safetensors、tokenizer.json。它只在你的浏览器里读取，不会传到任何地方。",
    pick: "选择文件夹",
    drop: "松开即可打开文件夹",
  },

  // 链接与文件。
  exports: {
    open: "分享或保存",
    copyLink: "复制链接",
    copied: "链接已复制。",
    copyThis: "请复制此链接：",
    files: { png: "图片（PNG）", svg: "矢量图（SVG）", json: "数值（JSON）", html: "网页（HTML）" },
    labels: {
      text: "输入",
      output: "输出",
      model: "模型",
      scale: "颜色标度",
      pinned: "已固定",
      again: "在 fovea 中打开此视图",
      values: "全部权重（表格）",
    },
  },

  // 页眉与页脚。
  language: "语言",
  wrong: (what) => `出错了：${what}`,
  footer: {
    private: "一切都在本页面内运行，你输入的内容不会离开这里。",
    models: "模型",
    about: {
      translation: "英译法，700 万参数，从零训练，句对来自",
      reactions: "12 层、8 个头，在专利反应上无标注训练；来自",
      stories: "26 万参数，在 TinyStories 上训练；来自",
    },
    source: "fovea 是采用 MIT 许可证的自由软件。本页面的源代码在其仓库的 demo/ 文件夹中。",
  },
};
