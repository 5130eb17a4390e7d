package sim

// language is what Written needs to write in one. The sentences avoid plurals,
// so that one form fits every number.
type language struct {
	code     string
	script   script
	unspaced bool   // words are not parted by blanks: lengths are in letters
	words    string // small words that tell it from the other Latin ones
	letters  string // letters that no other language here writes

	notice string // what this is, without the marker
	asked  string // model, number of messages, length of the last user message
	quote  string // the beginning of that message
	keys   string // what it mentions
	system string // length of the system prompt
	tools  string // names
	close  string // what a model would do, and what else is simulated
}

// english is the language of prompts in none of the others; vietnamese is where
// Vietnamese stands.
var english = &languages[0]

const vietnamese = 1

var languages = [...]language{
	{
		code: "en", script: latin,
		words: "the a an and or of to in on is are was with for from using use this these that it be as at by please what how " +
			"why which you your i my we can do does not if when write give tell make provide suggest explain me about used possible",
		notice: "This is the reply of a simulated region: no model ran.",
		asked:  "Model asked for: %s. Messages in the conversation: %d. Words in your last message: %d.",
		quote:  "You wrote: “%s”",
		keys:   "It mentions: %s.",
		system: "Words in the system prompt: %d.",
		tools:  "Tools on offer: %s.",
		close: "A real model would now answer this. This text only shows that the prompt arrived whole; it is the same " +
			"wherever the call runs, and the latency, the limits and the token counts around it are simulated as well.",
	},
	{
		code: "vi", script: latin, letters: "ăđĩũơư",
		words: "và của là cho một với các không tôi bạn có những này được trong người để từ hãy làm gì như thế nào món " +
			"xin về khi nếu thì mà ở nấu gà cá cơm thịt rau",
		notice: "Đây là câu trả lời của một vùng mô phỏng: không có mô hình nào được chạy.",
		asked:  "Mô hình được hỏi: %s. Số tin nhắn trong cuộc trò chuyện: %d. Số tiếng trong tin nhắn cuối của bạn: %d.",
		quote:  "Bạn đã viết: “%s”",
		keys:   "Nội dung được nhắc đến: %s.",
		system: "Số tiếng trong lời nhắc hệ thống: %d.",
		tools:  "Các công cụ có sẵn: %s.",
		close: "Một mô hình thật sẽ trả lời câu hỏi này. Văn bản này chỉ cho thấy lời nhắc đã đến đầy đủ; nội dung giống nhau " +
			"dù yêu cầu chạy ở đâu, còn độ trễ, giới hạn và số token đi kèm cũng chỉ là mô phỏng.",
	},
	{
		code: "de", script: latin, letters: "äöüß",
		words: "der die das und oder ist sind ein eine einen mit für von zu im den dem nicht ich du sie wir bitte wie was " +
			"warum auf aus bei nach kann schreibe gib mir über wenn als auch diese dieser",
		notice: "Dies ist die Antwort einer simulierten Region: Es lief kein Modell.",
		asked:  "Gefragtes Modell: %s. Nachrichten im Gespräch: %d. Wörter in Ihrer letzten Nachricht: %d.",
		quote:  "Sie schrieben: „%s“",
		keys:   "Darin kommt vor: %s.",
		system: "Wörter im System-Prompt: %d.",
		tools:  "Verfügbare Werkzeuge: %s.",
		close: "Ein echtes Modell würde jetzt darauf antworten. Dieser Text zeigt nur, dass der Prompt vollständig angekommen ist; " +
			"er lautet überall gleich, wo auch immer der Aufruf läuft, und auch Latenz, Grenzen und Tokenzahlen sind simuliert.",
	},
	{
		code: "fr", script: latin, letters: "œëîïûÿ",
		words: "le la les un une des et ou est sont avec pour de du dans sur ce cette ces que qui je vous nous il elle au aux " +
			"pas plus comment pourquoi quel quelle écris donne moi mon ma votre si en être à où",
		notice: "Ceci est la réponse d'une région simulée : aucun modèle n'a été exécuté.",
		asked:  "Modèle demandé : %s. Messages dans la conversation : %d. Mots dans votre dernier message : %d.",
		quote:  "Vous avez écrit : « %s »",
		keys:   "Il y est question de : %s.",
		system: "Mots dans le prompt système : %d.",
		tools:  "Outils disponibles : %s.",
		close: "Un vrai modèle répondrait maintenant à cette demande. Ce texte montre seulement que le prompt est arrivé en entier ; " +
			"il reste le même où que l'appel s'exécute, et la latence, les limites et le nombre de jetons sont eux aussi simulés.",
	},
	{
		code: "es", script: latin, letters: "ñ",
		words: "el la los las un una y o es son con para de del en por que se no yo tú usted mi su este esta estos cómo qué por " +
			"cuál escribe dame al lo más como si cuando muy hacer receta está hay",
		notice: "Esta es la respuesta de una región simulada: no se ejecutó ningún modelo.",
		asked:  "Modelo solicitado: %s. Mensajes en la conversación: %d. Palabras en su último mensaje: %d.",
		quote:  "Usted escribió: «%s»",
		keys:   "Se menciona: %s.",
		system: "Palabras en el prompt del sistema: %d.",
		tools:  "Herramientas disponibles: %s.",
		close: "Un modelo real respondería ahora a esto. Este texto solo muestra que el prompt llegó completo; es el mismo sin importar " +
			"dónde se ejecute la llamada, y la latencia, los límites y el recuento de tokens también son simulados.",
	},
	{
		code: "pt", script: latin, letters: "õ",
		words: "o a os as um uma e ou é são com para de do da dos das em no na por que se não eu você meu sua este esta estes como " +
			"qual escreva dê ao mais quando muito fazer receita está há uma isso pelo",
		notice: "Esta é a resposta de uma região simulada: nenhum modelo foi executado.",
		asked:  "Modelo solicitado: %s. Mensagens na conversa: %d. Palavras na sua última mensagem: %d.",
		quote:  "Você escreveu: “%s”",
		keys:   "São mencionados: %s.",
		system: "Palavras no prompt do sistema: %d.",
		tools:  "Ferramentas disponíveis: %s.",
		close: "Um modelo real responderia agora a isto. Este texto mostra apenas que o prompt chegou por inteiro; ele é o mesmo onde quer " +
			"que a chamada seja executada, e a latência, os limites e a contagem de tokens também são simulados.",
	},
	{
		code: "id", script: latin,
		words: "yang dan di ke dari untuk dengan ini itu adalah atau tidak saya anda kamu bisa ada pada dalam akan oleh juga apa " +
			"bagaimana mengapa tolong buat buatkan berikan tulis jelaskan resep seperti jika",
		notice: "Ini adalah jawaban dari region simulasi: tidak ada model yang dijalankan.",
		asked:  "Model yang diminta: %s. Jumlah pesan dalam percakapan: %d. Jumlah kata dalam pesan terakhir Anda: %d.",
		quote:  "Anda menulis: “%s”",
		keys:   "Yang disebut di dalamnya: %s.",
		system: "Jumlah kata dalam prompt sistem: %d.",
		tools:  "Alat yang tersedia: %s.",
		close: "Model sungguhan akan menjawab permintaan ini. Teks ini hanya menunjukkan bahwa prompt telah sampai secara utuh; isinya sama " +
			"di mana pun panggilan dijalankan, dan latensi, batas, serta jumlah token di sekitarnya juga merupakan hasil simulasi.",
	},
	{
		code: "zh", script: hanScript, unspaced: true,
		notice: "这是模拟区域的回复：没有运行任何模型。",
		asked:  "请求的模型是 %s。对话中有 %d 条消息，您的最后一条消息有 %d 个字。",
		quote:  "您写道：“%s”",
		keys:   "其中提到：%s。",
		system: "系统提示有 %d 个字。",
		tools:  "可用的工具：%s。",
		close: "真正的模型会在这里回答您的问题。这段文字只说明提示已经完整送达；无论调用在哪里运行，内容都相同，" +
			"而相关的延迟、配额和令牌数也都是模拟的。",
	},
	{
		code: "ja", script: kanaScript, unspaced: true,
		notice: "これはシミュレートされたリージョンの応答です。モデルは実行されていません。",
		asked:  "指定されたモデルは %s です。会話のメッセージ数は %d、最後のメッセージの文字数は %d です。",
		quote:  "受け取った文：「%s」",
		keys:   "挙げられているもの：%s。",
		system: "システムプロンプトの文字数は %d です。",
		tools:  "利用できるツール：%s。",
		close: "本物のモデルであれば、ここで質問に答えます。この文章は、プロンプトがすべて届いたことを示すだけのものです。" +
			"呼び出しがどこで実行されても内容は同じで、応答時間、上限、トークン数もシミュレーションによるものです。",
	},
	{
		code: "ko", script: hangulScript,
		notice: "이것은 시뮬레이션된 리전의 응답이며, 실행된 모델은 없습니다.",
		asked:  "요청한 모델: %s. 대화의 메시지 수: %d. 마지막 메시지의 단어 수: %d.",
		quote:  "받은 내용: “%s”",
		keys:   "언급된 것: %s.",
		system: "시스템 프롬프트의 단어 수: %d.",
		tools:  "사용할 수 있는 도구: %s.",
		close: "실제 모델이라면 이제 질문에 답할 것입니다. 이 글은 프롬프트가 온전히 도착했다는 것만 보여 줍니다. " +
			"호출이 어디에서 실행되든 내용은 같으며, 함께 나오는 지연 시간과 한도와 토큰 수도 모두 시뮬레이션으로 만든 값입니다.",
	},
	{
		code: "th", script: thaiScript, unspaced: true,
		notice: "นี่คือคำตอบจากภูมิภาคจำลอง ไม่มีโมเดลใดทำงาน",
		asked:  "โมเดลที่ถูกเรียก: %s จำนวนข้อความในการสนทนา: %d จำนวนตัวอักษรในข้อความล่าสุดของคุณ: %d",
		quote:  "คุณเขียนว่า “%s”",
		keys:   "สิ่งที่กล่าวถึง: %s",
		system: "จำนวนตัวอักษรในพรอมต์ระบบ: %d",
		tools:  "เครื่องมือที่ใช้ได้: %s",
		close: "โมเดลจริงจะตอบคำถามนี้ ข้อความนี้เพียงแสดงว่าพรอมต์มาถึงครบถ้วน เนื้อหาเหมือนกันไม่ว่าคำขอจะทำงานที่ใด " +
			"ส่วนเวลาแฝง โควตา และจำนวนโทเค็นก็เป็นค่าจำลองเช่นกัน",
	},
	{
		code: "hi", script: devanagari,
		notice: "यह एक सिम्युलेटेड क्षेत्र का उत्तर है: कोई मॉडल नहीं चला।",
		asked:  "अनुरोधित मॉडल: %s। बातचीत में संदेशों की संख्या: %d। आपके अंतिम संदेश में शब्दों की संख्या: %d।",
		quote:  "आपने लिखा: “%s”",
		keys:   "इसमें इनका उल्लेख है: %s।",
		system: "सिस्टम प्रॉम्प्ट में शब्दों की संख्या: %d।",
		tools:  "उपलब्ध टूल: %s।",
		close: "असली मॉडल यहाँ इसका उत्तर देता। यह पाठ केवल दिखाता है कि प्रॉम्प्ट पूरा पहुँच गया; अनुरोध कहीं भी चले, " +
			"पाठ वही रहता है, और साथ की विलंबता, सीमाएँ तथा टोकन की गिनती भी सिम्युलेटेड हैं।",
	},
	{
		code: "ru", script: cyrillicScript,
		notice: "Это ответ имитируемого региона: модель не запускалась.",
		asked:  "Запрошенная модель: %s. Сообщений в диалоге: %d. Слов в вашем последнем сообщении: %d.",
		quote:  "Вы написали: «%s»",
		keys:   "В нём упоминается: %s.",
		system: "Слов в системном промпте: %d.",
		tools:  "Доступные инструменты: %s.",
		close: "Настоящая модель сейчас ответила бы на этот запрос. Этот текст лишь показывает, что запрос дошёл полностью; он одинаков, " +
			"где бы ни выполнялся вызов, а задержка, лимиты и число токенов вокруг него тоже имитируются.",
	},
	{
		code: "ar", script: arabicScript,
		notice: "هذا رد من منطقة محاكاة: لم يتم تشغيل أي نموذج.",
		asked:  "النموذج المطلوب: %s. عدد الرسائل في المحادثة: %d. عدد الكلمات في رسالتك الأخيرة: %d.",
		quote:  "لقد كتبت: «%s»",
		keys:   "ورد فيها: %s.",
		system: "عدد الكلمات في تعليمات النظام: %d.",
		tools:  "الأدوات المتاحة: %s.",
		close: "كان النموذج الحقيقي سيجيب الآن عن هذا الطلب. يوضح هذا النص فقط أن الطلب وصل كاملاً، وهو لا يتغير أينما نُفّذ الاستدعاء، " +
			"كما أن زمن الاستجابة والحدود وعدد الرموز كلها قيم محاكاة أيضاً.",
	},
}
